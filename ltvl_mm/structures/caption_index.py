"""Index of captioned images in tars and folders."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ltvl_mm.structures.store_fields import (
    Field,
    pairs_of_texts,
    read_fields,
    sequence,
    whole,
)
from ltvl_mm.structures.text_column import TextColumn, check_text
from ltvl_mm.utils.io import atomic_write, write_json
from ltvl_mm.utils.parquet_files import read_parquet

_INDEX = 'index.json'
_FORMAT = 'ltvl_mm caption index 1'
_SCHEMA = pa.schema(
    [
        ('key', pa.string()),
        ('caption', pa.string()),
        ('source', pa.string()),
        ('offset', pa.int64()),
        ('size', pa.int64()),
    ]
)
_INDEX_FIELDS = {
    'format': Field(repr(_FORMAT), lambda value: value == _FORMAT),
    'shards': sequence(lambda name: isinstance(name, str), 'a list of texts'),
}
_RECORD_FIELDS = {
    'state': Field('an object', lambda value: isinstance(value, dict)),
    'images': whole(),
    'without_caption': whole(),
    'bad': pairs_of_texts(),
}


@dataclass(frozen=True)
class CaptionIndex:
    """N images with captions, in the order of their shards.

    Args:
        key: N keys.
        caption: N captions.
        sources: Files that hold the bytes.
        source: (N,) int32, in [0, len(sources)).
        offset: (N,) int64, first byte of an image in its source.
        size: (N,) int64, bytes of an image.
    """

    key: Sequence[str]
    caption: Sequence[str]
    sources: Sequence[str]
    source: np.ndarray
    offset: np.ndarray
    size: np.ndarray

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True)
class CaptionPart:
    """State and counts of one indexed shard.

    Args:
        state: State of the shard's files when they were read.
        images: Number of images with a caption.
        without_caption: Number of images without a caption.
        bad: (key, reason) of images that cannot be read.
    """

    state: dict
    images: int
    without_caption: int
    bad: Sequence[tuple[str, str]]


def write_caption_part(
    folder: Path, name: str, rows: dict[str, list], part: CaptionPart
) -> None:
    """Write the rows of a shard, then its record."""
    table = pa.table(rows, schema=_SCHEMA)
    with atomic_write(_find_part(folder, name, '.parquet')) as file:
        pq.write_table(table, file)
    write_json(_find_part(folder, name, '.json'), vars(part))


def read_caption_part(folder: Path, name: str) -> CaptionPart | None:
    """Return the record of a shard; None if it was not written whole."""
    record = _find_part(folder, name, '.json')
    if not record.is_file():
        return None
    if not _find_part(folder, name, '.parquet').is_file():
        return None
    fields = read_fields(
        record,
        _RECORD_FIELDS,
        kind='the record of a caption index',
        remedy='remove it and index the images again',
        only=True,
    )
    return CaptionPart(**fields)


def write_caption_index(folder: Path, shards: Sequence[str]) -> None:
    """Write ``index.json``, which names the shards; last, so that an index
    that was not finished has none.
    """
    write_json(folder / _INDEX, {'format': _FORMAT, 'shards': list(shards)})


def load_caption_index(folder: str | Path) -> CaptionIndex:
    """Read an index of ``tools/dataset_converters/index_captions.py``.

    Raises:
        ValueError: If it is missing, not finished, damaged or empty.
    """
    folder = Path(folder)
    if not (folder / _INDEX).is_file():
        raise ValueError(
            f'there is no {folder / _INDEX}; make it with tools/'
            f'dataset_converters/index_captions.py TARS -o {folder} (the same '
            f'command resumes an index that was not finished)'
        )
    content = read_fields(
        folder / _INDEX,
        _INDEX_FIELDS,
        kind='a caption index of this version',
        remedy='index the images again',
    )
    tables = [_read_rows(folder, name) for name in content['shards']]
    table = pa.concat_tables(tables or [_SCHEMA.empty_table()])
    if not len(table):
        raise ValueError(f'the index {folder} holds no image with a caption')
    sources = pc.dictionary_encode(table['source']).combine_chunks()
    return CaptionIndex(
        key=TextColumn(table['key']),
        caption=TextColumn(table['caption']),
        sources=TextColumn(sources.dictionary),
        source=sources.indices.to_numpy().astype(np.int32),
        offset=table['offset'].to_numpy(),
        size=table['size'].to_numpy(),
    )


def _read_rows(folder: Path, name: str) -> pa.Table:
    path = _find_part(folder, name, '.parquet')
    try:
        table = read_parquet(path, _SCHEMA.names).cast(_SCHEMA)
        for text in ('key', 'caption', 'source'):
            check_text(table[text], text)
    # pyarrow raises a KeyError for a column that is not there.
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise ValueError(
            f'{path} cannot be read ({error!s:.200}); index the images again'
        ) from None
    for column in _SCHEMA.names:
        if table[column].null_count:
            raise ValueError(f'{path} has rows without {column}')
    for column in ('offset', 'size'):
        if pc.any(pc.less(table[column], 0)).as_py():
            raise ValueError(f'{path} has a negative {column}')
    return table


def _find_part(folder: Path, name: str, suffix: str) -> Path:
    """Return a part's file; names of shards may hold slashes."""
    flat = json.dumps(name)[1:-1].replace('/', '%2F')
    return folder / 'shards' / f'{flat}{suffix}'
