"""Captions, URLs and attributes of images."""

import json

import pyarrow as pa

from ltvl_mm.retrieval.reading.web_image import escape_text
from ltvl_mm.structures.store_parts import FILTER_COLUMNS

# Bytes read of a caption or record; img2dataset's have a kilobyte.
MAX_WORDS = 1 << 20
MAX_CAPTION = 1000
MAX_URL = 2000
MAX_WORD = 100
# Columns that filters read -> int, float or str. Comparing pyarrow's types for
# each image took longer than reading its record.
_KINDS = {
    column.name: {pa.string(): str, pa.float32(): float}.get(column.type, int)
    for column in FILTER_COLUMNS
}


def describe_image(text: bytes | None, record: bytes | None) -> dict:
    """Return ``caption``, ``url`` and ``known`` of a ``WebImage``.

    Args:
        text: Its caption, as img2dataset's ``.txt``; None if there is none.
        record: Its ``.json``, which may hold a caption as well.
    """
    entry = {} if record is None else _read_record(record)
    caption = None if text is None else text.decode('utf-8', 'replace')
    return describe_entry(caption, entry)


def describe_entry(text: str | None, entry: dict) -> dict:
    """Return ``caption``, ``url`` and ``known`` of a ``WebImage``.

    Args:
        text: The caption; None to take the entry's.
        entry: A record of the image, as img2dataset writes it.
    """
    caption = str(entry.get('caption') or '') if text is None else text
    return {
        'caption': escape_text(caption.strip()[:MAX_CAPTION]),
        'url': escape_text(str(entry.get('url') or '')[:MAX_URL]),
        'known': _pick_known(entry),
    }


def _read_record(data: bytes) -> dict:
    """Read a sample's json; what is not one says nothing of the image."""
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):  # a million brackets
        return {}
    return record if isinstance(record, dict) else {}


def _pick_known(record: dict) -> dict[str, int | float | str]:
    """Return what filters ask for; a value of another kind is unknown."""
    known: dict[str, int | float | str] = {}
    for name, kind in _KINDS.items():
        value = record.get(name)
        if isinstance(value, str):
            if kind is str:
                known[name] = escape_text(value[:MAX_WORD])
        elif isinstance(value, (int, float)) and -1e30 < value < 1e30:
            if kind is str:
                known[name] = str(value)
            elif kind is float:
                known[name] = float(value)
            elif 0 <= value < 1 << 31:
                known[name] = int(value)
    return known
