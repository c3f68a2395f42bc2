"""Odd tars: one entry of ``TARS`` per case.

Each image of a case is ``draw(number)``, so that a reader's result shows
which image it is. A new case is one more entry.
"""

import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from odd_inputs.tar_members import draw, write_members


@dataclass(frozen=True)
class OddTar:
    """A tar and what reading it gives.

    Args:
        write: Function that writes it to a path.
        images: Key -> (number of the image, caption).
        bad: Key -> part of the reason; the tar's own key is ``''``.
        log: Part of the message about members that are left out; '' for
            no message.
        name: File name of the tar.
    """

    write: Callable[[Path], None]
    images: dict[str, tuple[int, str]]
    bad: dict[str, str] = field(default_factory=dict)
    log: str = ''
    name: str = 's.tar'


def _of(*members: tuple, **options: int) -> Callable[[Path], None]:
    return lambda path: write_members(path, list(members), **options)


def _pack_folder(path: Path) -> None:
    """Run ``tar cf`` on a folder; members come in the order of the disk."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / 'folder'
        folder.mkdir()
        # Images first and in another order than the captions.
        for number in range(40):
            mixed = number * 7 % 40
            (folder / f'{mixed}.png').write_bytes(draw(mixed))
        for number in range(40):
            (folder / f'{number}.txt').write_text(f'number {number}\n')
        subprocess.run(
            ['tar', 'cf', str(path), '-C', place, 'folder'], check=True
        )


def _concatenate(path: Path) -> None:
    """Write what ``cat a.tar b.tar`` gives."""
    parts = []
    for number in range(3):
        write_members(path, [(f'{number}.png', number)])
        parts.append(path.read_bytes())
    write_members(path, [('2.txt', 'late caption')])
    path.write_bytes(b''.join([*parts, path.read_bytes()]))


def _cut(path: Path) -> None:
    """Cut a tar in the middle of its third image."""
    write_members(path, [(f'{n}.png', n) for n in range(5)])
    with open(path, 'rb+') as file:
        file.truncate(1024 * 2 + 600)


def _append_garbage(path: Path) -> None:
    write_members(path, [('0.png', 0)])
    with open(path, 'ab') as file:
        file.write(b'not a tar header' * 32)


def _write_without_end(path: Path) -> None:
    """Write a tar whose writer was killed: no end mark."""
    write_members(path, [(f'{n}.png', n) for n in range(3)])
    with open(path, 'rb+') as file:
        file.truncate(1024 * 3)


def _write_half_an_end(path: Path) -> None:
    """Write one of the two blocks of the end mark; GNU tar only warns."""
    _write_without_end(path)
    with open(path, 'ab') as file:
        file.write(bytes(512))


LONG = 'folder/' * 40 + 'a' * 90

TARS = {
    'webdataset': OddTar(
        _of(('0.png', 0), ('0.txt', 'zero'), ('1.png', 1), ('1.txt', 'one')),
        {'0': (0, 'zero'), '1': (1, 'one')},
    ),
    'tar cf of a folder': OddTar(
        _pack_folder,
        {f'folder/{n}': (n, f'number {n}') for n in range(40)},
    ),
    'captions first': OddTar(
        _of(('0.txt', 'zero'), ('1.txt', 'one'), ('0.png', 0), ('1.png', 1)),
        {'0': (0, 'zero'), '1': (1, 'one')},
    ),
    'images first': OddTar(
        _of(('0.png', 0), ('1.png', 1), ('1.txt', 'one'), ('0.txt', 'zero')),
        {'0': (0, 'zero'), '1': (1, 'one')},
    ),
    'records apart from images': OddTar(
        _of(
            ('0.json', '{"caption": "zero"}'),
            ('1.json', '{"caption": "not this"}'),
            ('1.png', 1),
            ('0.png', 0),
            ('1.txt', 'one'),
        ),
        {'1': (1, 'one'), '0': (0, 'zero')},
    ),
    'names with several dots': OddTar(
        _of(
            ('img_v1.0.png', 0),
            ('img_v1.0.txt', 'zero'),
            ('img_v1.1.png', 1),
            ('img_v1.1.txt', 'one'),
            ('x.input.png', 2),
            ('x.target.png', 3),
            ('x.txt', 'both'),
            ('x.png', 4),
        ),
        {
            'img_v1.0.png': (0, 'zero'),
            'img_v1.1.png': (1, 'one'),
            'x.input.png': (2, 'both'),
            'x.target.png': (3, 'both'),
            'x': (4, 'both'),
        },
    ),
    'captions with other names': OddTar(
        _of(
            ('x.input.png', 0),
            ('x.outputs.txt', 'of x, or of another?'),
            ('1.png', 1),
            ('1.txt', 'one'),
            ('2.txt', 'two'),
            ('readme.txt', 'about the tar'),
            ('.hidden.txt', 'x'),
        ),
        {'x.input.png': (0, ''), '1': (1, 'one')},
        log='captions and records of no image: 3 (x.outputs.txt, 2.txt, read',
    ),
    'a record of a tar whose images have all theirs': OddTar(
        _of(
            ('0.png', 0),
            ('0.txt', 'zero'),
            ('0.json', '{}'),
            ('all.json', '{}'),
        ),
        {'0': (0, 'zero')},
        log='captions and records of no image: 1 (all.json)',
    ),
    'one sample of many images': OddTar(
        _of(
            *((f'x.{n}.png', n) for n in range(50)),
            *((f'x.{n}.txt', f'number {n}') for n in range(50)),
        ),
        {f'x.{n}.png': (n, f'number {n}') for n in range(50)},
    ),
    'two images of a key': OddTar(
        _of(
            ('0.PNG', 0),
            ('0.webp', 1),
            ('0.txt', 'zero'),
            ('1.png', 2),
            ('0.gif', 3),
        ),
        {
            '0': (0, 'zero'),
            '0.webp': (1, 'zero'),
            '1': (2, ''),
            '0.gif': (3, 'zero'),
        },
    ),
    'one name twice': OddTar(
        _of(('0.png', 0), ('1.png', 1), ('./0.png', 2), ('0.txt', 'zero')),
        {'0': (0, 'zero'), '1': (1, '')},
        {'0': 'a second image of this key'},
    ),
    'folders with equal names': OddTar(
        _of(('a', (tarfile.DIRTYPE, '')), ('a/0.png', 0), ('b/0.png', 1)),
        {'a/0': (0, ''), 'b/0': (1, '')},
    ),
    'hidden members': OddTar(
        _of(
            ('./._0.png', 1),
            ('./0.png', 0),
            ('__MACOSX/._0.png', 2),
            ('a/.ipynb_checkpoints/0.png', 3),
            ('@eaDir/0.png', 4),
            ('Thumbs.db', 'x'),
            ('.DS_Store', 'x'),
        ),
        {'0': (0, '')},
        log='hidden members: 6 (./._0.png, __MACOSX/._0.png, a/.ipynb_',
    ),
    'links': OddTar(
        _of(
            ('0.png', 0),
            ('1.png', (tarfile.LNKTYPE, '0.png')),
            ('2.png', (tarfile.SYMTYPE, '0.png')),
            ('3.png', (tarfile.FIFOTYPE, '')),
        ),
        {'0': (0, '')},
        log='links and devices: 3 (1.png, 2.png, 3.png)',
    ),
    'members of other types': OddTar(
        _of(('notes.pdf', 'x'), ('0.png', 0), ('0.cls', '1'), ('c', 'x')),
        {'0': (0, '')},
        log='members of other types: 2 (notes.pdf, c)',
    ),
    'no image': OddTar(
        _of(('0.npy', 'x'), ('0.txt', 'x')),
        {},
        log='no images; left out: captions and records of no image: 1 (0.txt)'
        '; members of other types: 1 (0.npy)',
    ),
    'broken images': OddTar(
        _of(
            ('0.png', 0), ('1.jpg', b'<html>'), ('1.txt', 'x'), ('2.png', b'')
        ),
        {'0': (0, '')},
        {'1': 'no known image format', '2': 'empty file'},
    ),
    'GNU names that are long': OddTar(
        _of((f'{LONG}.png', 0), (f'{LONG}.txt', 'x'), form=tarfile.GNU_FORMAT),
        {LONG: (0, 'x')},
    ),
    'pax names that are long': OddTar(
        _of((f'{LONG}.png', 0), (f'{LONG}.txt', 'x')),
        {LONG: (0, 'x')},
    ),
    'names with spaces and accents': OddTar(
        _of(('my café 猫.png', 0), ('my café 猫.txt', 'x')),
        {'my café 猫': (0, 'x')},
    ),
    'names in Latin-1': OddTar(
        _of(
            ('caf\udce9.png', 0),
            ('caf\udce9.txt', 'x'),
            form=tarfile.GNU_FORMAT,
        ),
        {'caf\\udce9': (0, 'x')},
    ),
    'other suffixes of JPEG': OddTar(
        _of(('0.JPG', 0), ('1.jpeg', 1), ('2.jfif', 2), ('3.jpe', 3)),
        {str(n): (n, '') for n in range(4)},
    ),
    'concatenated tars': OddTar(
        _concatenate,
        {'0': (0, ''), '1': (1, ''), '2': (2, 'late caption')},
    ),
    'cut within an image': OddTar(
        _cut,
        {'0': (0, ''), '1': (1, '')},
        {'': 'the tar is broken from here: the file ends within'},
    ),
    'no end mark': OddTar(
        _write_without_end,
        {'0': (0, ''), '1': (1, ''), '2': (2, '')},
        {'': 'the file ends without an end mark; members may be missing'},
    ),
    'half an end mark': OddTar(
        _write_half_an_end, {str(n): (n, '') for n in range(3)}
    ),
    'other bytes after the end mark': OddTar(
        _append_garbage,
        {'0': (0, '')},
        {'': 'after the end mark, no valid header'},
    ),
    'a name in capitals': OddTar(
        _of(('A.PNG', 0), ('A.TXT', 'x')),
        {'A': (0, 'x')},
        name='S.TAR',
    ),
    'no member': OddTar(_of(), {}, log='no images; left out: nothing'),
}
