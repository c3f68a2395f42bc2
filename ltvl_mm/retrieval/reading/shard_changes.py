"""Find parts of a store whose shards have changed since."""

import hashlib
import os
from pathlib import Path

from ltvl_mm.retrieval.reading.shards import Shard, iterate_shard
from ltvl_mm.structures.store_parts import Part
from ltvl_mm.utils.io import hash_content
from ltvl_mm.utils.parquet_files import read_parquet
from ltvl_mm.utils.regular_files import read_version
from ltvl_mm.utils.remote_paths import is_remote

_COMPARED = ('image_path', 'sha256', 'source', 'offset', 'caption', 'url')


def describe_shard(shard: Shard) -> dict:
    """Return path, size and modification time of a shard's files.

    Of a remote file, its version (ETag) instead of the time. Of a run of
    image files, digests of all paths and of all sizes and times.
    """
    if shard.tar is not None:
        size, time = _read_stat(shard.tar)
        named = 'version' if is_remote(shard.tar) else 'mtime_ns'
        return {'path': str(shard.tar), 'size': size, named: time}
    paths, stats = [], []
    for key, file in shard.files:
        paths.append([key, os.fsencode(str(file)).hex()])
        stats.append(_read_stat(file))
    return {
        'files': len(paths),
        'paths': hash_content(paths),
        'stats': hash_content(stats),
    }


def find_change(part: Part, source: dict) -> str | None:
    """Return which property of a shard's files has changed, or None.

    Args:
        part: Part of the shard; one that recorded nothing has not changed.
        source: The shard now, by :func:`describe_shard`.
    """
    if part.source is None or part.source == source:
        return None
    names = [
        name
        for name in source
        if part.source.get(name, source[name]) != source[name]
    ]
    words = {
        'path': 'path',
        'size': 'size',
        'mtime_ns': 'modification time',
        'version': 'version',
        'files': 'number of files',
        'paths': 'list of files',
        'stats': 'size or modification time of a file',
    }
    return ', '.join(words[name] for name in names) or 'kind of shard'


def has_same_content(part: Part, shard: Shard) -> bool:
    """Return whether a shard's images and captions are those of its part.

    Reads all bytes and decodes nothing. Whether an image that could not be
    read is still the same is not known.

    Args:
        part: Part of the shard, with its files.
        shard: The shard now.
    """
    due: dict[str, tuple] = {}
    if part.rows:
        columns = read_parquet(part.table, _COMPARED)
        for row in columns.to_pylist():
            key, *content = (row[name] for name in _COMPARED)
            due[key] = tuple(content)
    bad = {key for key, _ in part.bad}
    for image in iterate_shard(shard):
        if image.data is None or image.key in bad:
            if image.key not in bad:
                return False
            continue
        digest = hashlib.sha256(image.data).hexdigest()
        found = (image.source, image.offset, image.caption, image.url)
        if due.pop(image.key, None) != (digest, *found):
            return False
    return not due


def _read_stat(file: Path) -> tuple[int, int | str]:
    try:
        return read_version(file)
    except OSError:
        return -1, -1  # reading the shard lists it as a bad image
