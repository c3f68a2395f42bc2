"""Web images from tars, folders and lists, shard by shard."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from braceexpand import braceexpand
from mmengine.logging import print_log

from ltvl_mm.retrieval.image_words import MAX_WORDS, describe_image
from ltvl_mm.retrieval.tars import iterate_tar
from ltvl_mm.retrieval.web_image import WebImage, escape_text
from ltvl_mm.utils.image_decoding import IMAGE_SUFFIXES


@dataclass(frozen=True)
class Shard:
    """A tar, or a run of image files.

    Args:
        name: Unique and stable; keys begin with it if it is a tar.
        tar: The tar file, or None.
        files: (key, file) of each image when there is no tar.
    """

    name: str
    tar: Path | None = None
    files: tuple[tuple[str, Path], ...] = ()


def find_shards(
    inputs: Sequence[str],
    *,
    root: str | Path | None = None,
    files_per_shard: int = 10_000,
) -> list[Shard]:
    """List the shards of some inputs, sorted by name.

    Args:
        inputs: Tars (paths, globs, ``{00000..00099}`` ranges), folders of
            tars, folders of images (searched through), or ``.txt`` lists
            with a path, or ``path label``, on each line (-1: of no class).
            Beside ``a.jpg`` its caption may lie as ``a.txt``, and what
            filters ask for as ``a.json``.
        root: Folder that the paths in lists are relative to; None for the
            list's own folder.
        files_per_shard: Image files that make a shard.

    Raises:
        ValueError: If an input does not exist or holds no image, a listed
            path leaves ``root``, or two inputs give two files one key.
    """
    tars, files = [], {}
    for text in inputs:
        for pattern in braceexpand(text):
            paths = sorted(map(Path, glob.glob(pattern))) or [Path(pattern)]
            for path in paths:
                if path.is_dir():
                    inside = sorted(path.rglob('*.tar'))
                    tars += inside
                    if not inside:
                        _add_files(files, _find_files(path), path)
                elif path.suffix == '.tar' and path.is_file():
                    tars.append(path)
                elif path.suffix == '.txt' and path.is_file():
                    found = _read_list(path, Path(root or path.parent))
                    _add_files(files, found, path)
                else:
                    raise ValueError(
                        f'{path} is no tar, folder or .txt list that exists'
                    )
    named = _name_tars(tars)
    keys = sorted(files)
    for number, start in enumerate(range(0, len(keys), files_per_shard)):
        name = f'files-{number:05d}'
        if name in named:
            raise ValueError(
                f'{named[name].tar} has the name of a run of files; rename it'
            )
        named[name] = Shard(
            name,
            files=tuple(
                (key, files[key])
                for key in keys[start : start + files_per_shard]
            ),
        )
    if not named:
        raise ValueError('there are no inputs')
    return [named[name] for name in sorted(named)]


def iterate_shard(shard: Shard) -> Iterator[WebImage]:
    """Yield the images of a shard in its order, unreadable ones with a
    reason; never raises for what is in the data.
    """
    if shard.tar is not None:
        yield from iterate_tar(shard.tar, shard.name)
        return
    for key, file in shard.files:
        try:
            str(file).encode()  # parquet holds UTF-8 only
            data = file.read_bytes()
        except UnicodeEncodeError:
            yield WebImage(key, None, reason='its path is not UTF-8')
        except OSError as error:
            yield WebImage(key, None, reason=f'unreadable: {error.strerror}')
        else:
            words = [_read_beside(file, end) for end in ('.txt', '.json')]
            yield WebImage(
                key, data, source=str(file), **describe_image(*words)
            )


def _read_beside(file: Path, suffix: str) -> bytes | None:
    """Return what img2dataset's "files" format has beside an image."""
    beside = file.with_suffix(suffix)
    # A link may lead out of the folder.
    if not beside.is_file() or beside.is_symlink():
        return None
    with open(beside, 'rb') as handle:
        return handle.read(MAX_WORDS)


def _name_tars(tars: list[Path]) -> dict[str, Shard]:
    """Name tars by stem, with their folder where stems repeat."""
    tars = sorted({tar.absolute() for tar in tars})
    stems = [tar.stem for tar in tars]
    names = {}
    for tar in tars:
        name = (
            tar.stem
            if stems.count(tar.stem) == 1
            else (f'{tar.parent.name}/{tar.stem}')
        )
        if name in names:
            raise ValueError(
                f'{names[name].tar} and {tar} have the same name; rename one'
            )
        names[name] = Shard(name, tar=tar)
    return names


def _find_files(folder: Path) -> dict[str, Path]:
    files, outside = {}, 0
    top = folder.resolve()
    for path in folder.rglob('*'):
        suffix = path.suffix.lower().lstrip('.')
        if suffix not in IMAGE_SUFFIXES or not path.is_file():
            continue
        if path.resolve().is_relative_to(top):
            key = escape_text(path.relative_to(folder).as_posix())
            files[key] = path.absolute()
        else:
            outside += 1
    if outside:
        print_log(
            f'{folder}: {outside} links to files outside are left out',
            'current',
            level=30,
        )
    return files


def _add_files(
    files: dict[str, Path], found: dict[str, Path], path: Path
) -> None:
    """Add what was ``found`` in ``path`` to ``files``, by key."""
    if not found:
        raise ValueError(f'no image in {path}')
    for key, file in found.items():
        if files.setdefault(key, file) != file:
            raise ValueError(
                f'{files[key]} and {file} have the same key {key!r}; embed '
                f'the folder above both, or make two stores'
            )


def _read_list(path: Path, root: Path) -> dict[str, Path]:
    if not root.is_dir():
        raise ValueError(f'the image root {root} does not exist')
    files = {}
    lines = path.read_text(encoding='utf-8').splitlines()
    for number, line in enumerate(lines, 1):
        head, _, tail = line.strip().rpartition(' ')
        labelled = head and (tail.isdecimal() or tail == '-1')
        name = head if labelled else line.strip()
        if not name:
            continue
        if PurePosixPath(name).is_absolute() or (
            '..' in PurePosixPath(name).parts
        ):
            raise ValueError(
                f'{path}, line {number}: {name!r} leaves the image root'
            )
        files[name] = root.resolve() / name
    return files
