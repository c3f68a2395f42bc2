"""Odd folders of images: one entry of ``FOLDERS`` per case.

Each image of a case is ``draw(number)``. A new case is one more entry.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from odd_inputs.tar_members import draw


@dataclass(frozen=True)
class OddFolder:
    """A folder and the images in it.

    Args:
        write: Function that fills an existing empty folder.
        images: Path -> number of the image.
        linked: Likewise, of links that lead out of the folder or to another
            folder: class folders follow them, embedding does not.
        log: Parts of the message about files that are left out.
    """

    write: Callable[[Path], None]
    images: dict[str, int]
    linked: dict[str, int] = field(default_factory=dict)
    log: tuple[str, ...] = ()


def write_files(folder: Path, files: dict[str, object]) -> None:
    """Write path -> int for an image, or text."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(
            draw(content) if isinstance(content, int) else content.encode()
        )


def _with(files: dict[str, object]) -> Callable[[Path], None]:
    return lambda folder: write_files(folder, files)


def _write_links(folder: Path) -> None:
    top = folder.parent
    outside = top.with_name(f'{top.name}_outside')
    write_files(outside, {'2.png': 2})
    write_files(folder, {'0.png': 0, 'd/1.png': 1})
    (folder / 'same.png').symlink_to(folder / '0.png')
    (folder / 'out.png').symlink_to(outside / '2.png')
    (folder / 'e').symlink_to(outside)
    (folder / 'd' / 'up').symlink_to(folder)
    (folder / 'gone.png').symlink_to(folder / 'nothing.png')


def _write_pipe(folder: Path) -> None:
    write_files(folder, {'0.png': 0})
    os.mkfifo(folder / '1.png')
    os.mkfifo(folder / '0.txt')
    (folder / 'zero.png').symlink_to('/dev/zero')


def _write_latin1(folder: Path) -> None:
    write_files(folder, {'0.png': 0})
    with open(os.fsencode(folder) + b'/.caf\xe9.png', 'wb') as file:
        file.write(draw(1))


SUFFIXES = (
    'jpg JPG jpeg jpe jfif png PNG webp gif bmp tif tiff ppm pgm pbm jp2 avif'
)

FOLDERS = {
    'every suffix': OddFolder(
        _with({f'{n}.{s}': n for n, s in enumerate(SUFFIXES.split())}),
        {f'{n}.{s}': n for n, s in enumerate(SUFFIXES.split())},
    ),
    'several dots': OddFolder(
        _with({'img_v1.0.png': 0, 'img_v1.1.png': 1, 'x.input.png': 2}),
        {'img_v1.0.png': 0, 'img_v1.1.png': 1, 'x.input.png': 2},
    ),
    'hidden entries': OddFolder(
        _with(
            {
                '0.png': 0,
                '.DS_Store': 'x',
                '._0.png': 1,
                '.ipynb_checkpoints/0-checkpoint.png': 2,
                '@eaDir/0.png/SYNOPHOTO_THUMB.png': 3,
                '__MACOSX/._0.png': 4,
                'Thumbs.db': 'x',
            }
        ),
        {'0.png': 0},
        log=('hidden entries: 6 (', '.DS_Store, ', '._0.png, '),
    ),
    'files of other types': OddFolder(
        _with(
            {
                '0.png': 0,
                '0.txt': 'its caption',
                '0.json': '{}',
                'notes.pdf': 'x',
                'video.mp4': 'x',
                'no_suffix': 'x',
            }
        ),
        {'0.png': 0},
        log=('files of other types: 3 (', 'no_suffix', 'notes.pdf'),
    ),
    'captions with other names': OddFolder(
        _with(
            {
                'x.input.png': 0,
                'x.input.json': '{}',
                'x.outputs.txt': 'x',
                'a/1.png': 1,
                'a/1.txt': 'its caption',
                '1.txt': 'x',
                '00000_stats.json': '{}',
            }
        ),
        {'x.input.png': 0, 'a/1.png': 1},
        log=('captions and records of no image: 2 (1.txt, x.outputs.txt)',),
    ),
    'folders in it': OddFolder(
        _with({'0.png': 0, 'a/1.png': 1, 'a/b/2.png': 2, 'a b/my 3.png': 3}),
        {'0.png': 0, 'a/1.png': 1, 'a/b/2.png': 2, 'a b/my 3.png': 3},
    ),
    'links': OddFolder(
        _write_links,
        {'0.png': 0, 'd/1.png': 1, 'same.png': 0},
        {'out.png': 2, 'e/2.png': 2},
        log=('broken links: 1 (',),
    ),
    'pipes and devices': OddFolder(
        _write_pipe,
        {'0.png': 0},
        log=('zero.png',),
    ),
    'a name in Latin-1': OddFolder(
        _write_latin1, {'0.png': 0}, log=('hidden entries: 1 (',)
    ),
}
