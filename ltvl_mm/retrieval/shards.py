"""Web images from tars, folders and lists, shard by shard.

Tars are read with the standard library and not with webdataset because a
retrieved image is later fetched by its byte offset, and because a tar that
was cut in the middle has to give what stands before the cut.
"""

import glob
import hashlib
import json
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from braceexpand import braceexpand

IMAGE_SUFFIXES = frozenset(
    ('jpg', 'jpeg', 'png', 'webp', 'bmp', 'gif', 'tif', 'tiff')
)
# Larger members of a tar are no images of the web.
MAX_MEMBER_BYTES = 64 << 20
MAX_CAPTION = 1000

_END_OF_TAR = bytes(tarfile.BLOCKSIZE)
# What tarfile raises for hostile headers.
_TAR_ERRORS = (
    tarfile.TarError,
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    RecursionError,
    MemoryError,
)


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


@dataclass(frozen=True)
class WebImage:
    """An image as found, not yet decoded.

    Args:
        key: Unique in the whole memory.
        data: Bytes of the image file; None when ``reason`` is given.
        caption: '' when there is none.
        url: '' when unknown.
        source: File that holds the bytes.
        offset: Of the first byte in ``source``.
        reason: Why there are no bytes, or None.
    """

    key: str
    data: bytes | None
    caption: str = ''
    url: str = ''
    source: str = ''
    offset: int = 0
    reason: str | None = None


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
            with a path, or ``path label``, on each line.
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
        yield from _iterate_tar(shard)
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
            yield WebImage(key, data, source=str(file))


def read_bytes(source: str, offset: int, size: int, sha256: str) -> bytes:
    """Return an image's bytes from the file that holds them.

    Raises:
        ValueError: If the file is missing or the bytes are others now.
    """
    try:
        with open(source, 'rb') as file:
            file.seek(offset)
            data = file.read(size)
    except OSError as error:
        raise ValueError(
            f'the web memory has changed: {source}: {error.strerror}'
        ) from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError(
            f'the web memory has changed: {source} has other bytes from '
            f'{offset} on'
        )
    return data


def _iterate_tar(shard: Shard) -> Iterator[WebImage]:
    seen: set[str] = set()
    sample: dict[str, tuple[int, bytes]] = {}
    stem = None
    try:
        with tarfile.open(shard.tar, 'r:') as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                base, _, suffix = path.name.partition('.')
                # Links, devices, folders, files with holes, hidden files.
                if not member.isreg() or member.issparse() or not base:
                    continue
                suffix = suffix.lower()
                here = str(path.with_name(base))
                if stem is not None and (here != stem or suffix in sample):
                    yield _join_sample(shard, stem, sample, seen)
                    sample = {}
                stem = here
                if member.size > MAX_MEMBER_BYTES:
                    sample.setdefault('too large', (member.size, b''))
                    continue
                data = tar.extractfile(member).read()
                sample[suffix] = (member.offset_data, data)
                tar.members = []  # tarfile would keep them all
            # tarfile takes a broken header for the end, and says nothing.
            tar.fileobj.seek(tar.offset)
            if tar.fileobj.read(tarfile.BLOCKSIZE) != _END_OF_TAR:
                raise tarfile.ReadError('no member and no end mark')
        if stem is not None:
            yield _join_sample(shard, stem, sample, seen)
    # The sample at the cut is incomplete, so it is not yielded.
    except _TAR_ERRORS as error:
        yield WebImage(
            shard.name, None, reason=f'the tar is broken from here: {error}'
        )


def _join_sample(
    shard: Shard,
    stem: str,
    sample: dict[str, tuple[int, bytes]],
    seen: set[str],
) -> WebImage:
    key = _escape(f'{shard.name}/{stem}')
    if key in seen:
        return WebImage(key, None, reason='a second image of this key')
    seen.add(key)
    suffix = next((s for s in sample if s in IMAGE_SUFFIXES), None)
    if suffix is None:
        size = sample.get('too large', (0, b''))[0]
        return WebImage(
            key,
            None,
            reason=(
                f'{size} bytes is too large' if size else 'no image member'
            ),
        )
    record = _read_record(sample.get('json', (0, b'{}'))[1])
    caption = (
        sample['txt'][1].decode('utf-8', 'replace')
        if ('txt' in sample)
        else str(record.get('caption') or '')
    )
    offset, data = sample[suffix]
    return WebImage(
        key,
        data,
        caption=_escape(caption.strip()[:MAX_CAPTION]),
        url=_escape(str(record.get('url') or '')),
        source=str(shard.tar),
        offset=offset,
    )


def _read_record(data: bytes) -> dict:
    """Read a sample's json; what is not one says nothing of the image."""
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):  # a million brackets
        return {}
    return record if isinstance(record, dict) else {}


def _escape(text: str) -> str:
    """Spell out what UTF-8 cannot hold: halves of pairs, foreign bytes."""
    return text.encode('utf-8', 'backslashreplace').decode('utf-8')


def _name_tars(tars: list[Path]) -> dict[str, Shard]:
    """Name tars by stem, with their folder where stems repeat."""
    tars = sorted({tar.resolve() for tar in tars})
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
    return {
        _escape(path.relative_to(folder).as_posix()): path.resolve()
        for path in folder.rglob('*')
        if path.suffix.lower().lstrip('.') in IMAGE_SUFFIXES
        and path.is_file()
        and not path.is_symlink()
    }


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
        name = head if head and tail.isdecimal() else line.strip()
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
