"""Web images from tars, parquet files, folders and lists, shard by shard."""

import glob
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from braceexpand import braceexpand
from mmengine.logging import print_log

from ltvl_mm.retrieval.reading.image_text import MAX_WORDS, describe_image
from ltvl_mm.retrieval.reading.input_formats import (
    ARCHIVE_SUFFIXES,
    check_shard_file,
    describe_other_file,
    holds_images,
)
from ltvl_mm.retrieval.reading.parquet_images import iterate_parquet
from ltvl_mm.retrieval.reading.tars import iterate_tar
from ltvl_mm.retrieval.reading.web_image import (
    NOT_WANTED,
    WebImage,
    escape_text,
)
from ltvl_mm.structures.image_list import read_listed_paths
from ltvl_mm.utils.image_decoding import MAX_FILE_BYTES, list_image_suffixes
from ltvl_mm.utils.image_folders import get_suffix, list_files
from ltvl_mm.utils.regular_files import read_regular
from ltvl_mm.utils.remote_calls import run_in_parallel
from ltvl_mm.utils.remote_files import expand_remote
from ltvl_mm.utils.remote_paths import as_path, is_remote


@dataclass(frozen=True)
class Shard:
    """A tar, a parquet file with images, or a run of image files.

    Args:
        name: Unique and stable; keys begin with it if it is a tar or parquet
            file.
        tar: The tar or parquet file, or None.
        files: (key, file) of each image when there is no tar.
    """

    name: str
    tar: Path | None = None
    files: tuple[tuple[str, Path], ...] = ()


@dataclass
class _Inputs:
    """Shard files and image files found so far."""

    tars: list[Path] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)


def find_shards(
    inputs: Sequence[str],
    *,
    root: str | Path | None = None,
    files_per_shard: int = 10_000,
) -> list[Shard]:
    """List the shards of some inputs, sorted by name.

    Args:
        inputs: Tars and img2dataset's parquet files with images (paths or
            addresses, globs, ``{00000..00099}`` ranges), folders of these
            and of image files (searched through), or ``.txt`` lists with a
            path, or ``path label``, on each line (-1: without class). Next to
            ``a.jpg`` its caption may be in ``a.txt``, and the values that
            filters use in ``a.json``.
        root: Folder that the paths in lists are relative to; None for the
            list's own folder.
        files_per_shard: Image files per shard.

    Raises:
        ValueError: If an input does not exist, is compressed or holds no
            image, a listed path leaves ``root``, or two inputs give two
            files one key.
    """
    found = _Inputs()
    for text in inputs:
        for pattern in [text] if as_path(text).exists() else braceexpand(text):
            for path in _expand_glob(pattern):
                _add_input(found, path, root)
    run_in_parallel(check_shard_file, list(filter(is_remote, found.tars)))
    named = _name_tars(found.tars)
    keys = sorted(found.files)
    for number, start in enumerate(range(0, len(keys), files_per_shard)):
        name = f'files-{number:05d}'
        if name in named:
            raise ValueError(
                f'{named[name].tar} has the name of a run of files; rename it'
            )
        named[name] = Shard(
            name,
            files=tuple(
                (key, found.files[key])
                for key in keys[start : start + files_per_shard]
            ),
        )
    if not named:
        raise ValueError('there are no inputs')
    return [named[name] for name in sorted(named)]


def _expand_glob(pattern: str) -> list[Path]:
    """Return the paths that match a pattern, or the pattern as a path."""
    path = as_path(pattern)
    if is_remote(path):
        names = expand_remote(pattern) if glob.has_magic(pattern) else []
        return list(map(as_path, names)) or [path]
    if path.exists():  # a name with brackets is not a glob
        return [path]
    return sorted(map(Path, glob.glob(pattern))) or [path]


def _add_input(found: _Inputs, path: Path, root: str | Path | None) -> None:
    """Add what one existing path gives."""
    suffix = get_suffix(path.name)
    if suffix == 'tar' and is_remote(path):
        found.tars.append(path)  # all are looked at in parallel
    elif path.is_dir():
        _add_folder(found, path)
    elif suffix in ('tar', 'parquet') and path.exists():
        check_shard_file(path)
        if suffix == 'parquet' and not holds_images(path):
            raise ValueError(describe_other_file(path))
        found.tars.append(path)
    elif suffix == 'txt' and path.is_file():
        _add_files(found.files, read_listed_paths(path, root=root))
    else:
        raise ValueError(describe_other_file(path))


def _add_folder(found: _Inputs, folder: Path) -> None:
    """Add the tars, parquet files and image files of a folder."""
    # Links to shards may lead anywhere, as people link them; links to images
    # stay in the folder.
    listing = list_files(folder, linked_suffixes=('tar', 'parquet'))
    tars, images, words, left_out = [], {}, [], listing.left_out
    for name in listing.files:
        path, suffix = folder / name, get_suffix(name)
        if suffix == 'tar' or (suffix == 'parquet' and holds_images(path)):
            if not is_remote(path):
                check_shard_file(path)
            tars.append(path)
        elif suffix in list_image_suffixes():
            images[escape_text(name)] = path.absolute()
        elif suffix in ARCHIVE_SUFFIXES:
            left_out.add('archives, which must be unpacked', name)
        elif suffix == 'parquet':
            left_out.add('parquet files of another form', name)
        elif suffix in ('txt', 'json'):
            words.append(name)
        else:
            left_out.add('files of other types', name)
    stems = {file.with_suffix('') for file in images.values()}
    for name in words:
        # img2dataset's counts, of a tar or of a folder of images.
        counts = name.endswith('_stats.json')
        if (
            not counts
            and (folder / name).absolute().with_suffix('') not in stems
        ):
            left_out.add('captions and records of no image', name)
    if not tars and not images:
        reason = f'; left out: {left_out}' if left_out else ''
        raise ValueError(f'there is no image in {folder}{reason}')
    if left_out or (tars and images):
        print_log(
            f'{folder}: {len(tars)} shard files and {len(images)} image '
            f'files; left out: {left_out or "nothing"}',
            'current',
            level=30,
        )
    found.tars += tars
    _add_files(found.files, images)


def iterate_shard(
    shard: Shard, wanted: Callable[[int], bool] | None = None
) -> Iterator[WebImage]:
    """Yield the images of a shard in its order, unreadable ones with a
    reason; never raises for what is in the data.

    Args:
        shard: The shard.
        wanted: Function that tells by its index in the shard whether an
            image is to be read; others are yielded without their bytes.
            None to read all.
    """
    if shard.tar is not None:
        if get_suffix(shard.tar.name) == 'parquet':
            yield from iterate_parquet(shard.tar, shard.name)
        else:
            yield from iterate_tar(shard.tar, shard.name, wanted)
        return
    for index, (key, file) in enumerate(shard.files):
        if wanted is not None and not wanted(index):
            yield WebImage(key, None, reason=NOT_WANTED)
            continue
        try:
            str(file).encode()  # parquet holds UTF-8 only
            data = read_regular(file, max_bytes=MAX_FILE_BYTES)
        except UnicodeEncodeError:
            yield WebImage(key, None, reason='its path is not UTF-8')
        except OSError as error:
            yield WebImage(key, None, reason=f'unreadable: {error.strerror}')
        except ValueError as error:  # a pipe, or too large
            yield WebImage(key, None, reason=f'unreadable: {error}')
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
    return read_regular(beside, max_bytes=MAX_WORDS, cut=True)


def _name_tars(tars: list[Path]) -> dict[str, Shard]:
    """Name tars by stem, with their folder where stems repeat."""
    tars = sorted({tar.absolute() for tar in tars})
    stems = Counter(tar.stem for tar in tars)
    names: dict[str, Shard] = {}
    for tar in tars:
        single = stems[tar.stem] == 1
        name = tar.stem if single else f'{tar.parent.name}/{tar.stem}'
        if name in names:
            raise ValueError(
                f'{names[name].tar} and {tar} have the same name; rename one'
            )
        names[name] = Shard(name, tar=tar)
    return names


def _add_files(files: dict[str, Path], found: dict[str, Path]) -> None:
    """Add what was ``found`` to ``files``, by key."""
    for key, file in found.items():
        if files.setdefault(key, file) != file:
            raise ValueError(
                f'{files[key]} and {file} have the same key {key!r}; embed '
                f'the folder above both, or make two stores'
            )
