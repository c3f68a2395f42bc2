"""Images in parquet files, as img2dataset's ``parquet`` format writes them."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from ltvl_mm.retrieval.reading.image_text import describe_entry
from ltvl_mm.retrieval.reading.parquet_rows import (
    BATCH_ROWS,
    PARQUET_ERRORS,
    pick_column,
)
from ltvl_mm.retrieval.reading.web_image import (
    MAX_IMAGE_BYTES,
    WebImage,
    escape_text,
)
from ltvl_mm.structures.store_parts import FILTER_COLUMNS
from ltvl_mm.utils.regular_files import open_regular

_SUCCESS = 'success'


def iterate_parquet(file: Path, name: str) -> Iterator[WebImage]:
    """Yield the images of a parquet file; never raise for its content.

    Rows without bytes that img2dataset could not download are left out; see
    :func:`ltvl_mm.retrieval.reading.parquet_rows.count_status`.

    Args:
        file: The parquet file.
        name: Prefix of the keys: ``name/key``, as for a tar.
    """
    seen: set[str] = set()
    try:
        with open_regular(file) as handle:
            for row, entry in _iterate_rows(handle):
                found = _build_image(file, name, row, entry, seen)
                if found is not None:
                    yield found
    except PARQUET_ERRORS as error:
        yield WebImage(
            name,
            None,
            reason=f'the parquet file is broken from here: {error!s:.200}',
        )


def _iterate_rows(handle: object) -> Iterator[tuple[int, dict]]:
    """Yield (row, entry) with the image's bytes under ``data``."""
    table = pq.ParquetFile(handle, pre_buffer=False)
    column = pick_column(table.schema_arrow)
    if column is None:
        raise ValueError('no column of image bytes')
    wanted = ('key', 'txt', 'caption', 'url', 'status', *FILTER_COLUMNS.names)
    names = [n for n in wanted if n in table.schema_arrow.names]
    row = 0
    for batch in table.iter_batches(
        BATCH_ROWS, columns=[column, *names], use_threads=False
    ):
        for entry in batch.to_pylist():
            entry['data'] = entry.pop(column)
            yield row, entry
            row += 1


def _build_image(
    file: Path, name: str, row: int, entry: dict, seen: set[str]
) -> WebImage | None:
    data = entry['data']
    if data is None and entry.get('status', _SUCCESS) != _SUCCESS:
        return None
    key = escape_text(f'{name}/{entry["key"]}')
    fault = None
    if key in seen:
        fault = 'a second image of this key'
    elif data is None:
        fault = 'the row has no image bytes'
    elif len(data) > MAX_IMAGE_BYTES:
        fault = f'{len(data)} bytes is too large'
    seen.add(key)
    if fault is not None:
        return WebImage(key, None, reason=fault)
    text = entry.get('txt')
    words = describe_entry(None if text is None else str(text), entry)
    return WebImage(key, data, source=str(file), offset=row, **words)
