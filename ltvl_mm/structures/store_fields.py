"""Check the fields of the JSON files of a store: their types and ranges."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltvl_mm.utils.io import read_json
from ltvl_mm.utils.short_repr import describe_value

# Wider than any encoder, and more rows than any part or store has: beyond
# these, arrays would be allocated that no machine holds.
MAX_DIM = 1 << 20
MAX_ROWS = 1 << 40


@dataclass(frozen=True)
class Field:
    """Requirement on one value of a JSON file.

    Args:
        expected: Phrase for messages, e.g. ``'a text'``.
        accepts: Function that returns True for an allowed value.
        required: True if the key must be present.
    """

    expected: str
    accepts: Callable[[Any], bool]
    required: bool = True


def read_fields(
    file: Path,
    fields: Mapping[str, Field],
    *,
    kind: str,
    remedy: str,
    only: bool = False,
) -> dict[str, Any]:
    """Read a JSON object and check its fields.

    Args:
        file: The JSON file.
        fields: Requirement on each key.
        kind: Kind of file in messages.
        remedy: Remedy in messages.
        only: Refuse keys that are not in ``fields``.

    Raises:
        ValueError: If it is not such an object; names file, key and value.
    """
    return check_fields(
        file, read_json(file), fields, kind=kind, remedy=remedy, only=only
    )


def check_fields(
    file: Path,
    record: Any,  # noqa: ANN401
    fields: Mapping[str, Field],
    *,
    kind: str,
    remedy: str,
    only: bool = False,
    place: str = '',
) -> dict[str, Any]:
    """Return a JSON object after checking its fields.

    Args:
        file: The file that holds it, for messages.
        record: The object.
        fields: Requirement on each key.
        kind: Kind of file in messages.
        remedy: Remedy in messages.
        only: Refuse keys that are not in ``fields``.
        place: Text before the key in messages, for objects inside others.

    Raises:
        ValueError: If it is not such an object; names file, key and value.
    """
    fault = _find_fault(record, fields, only=only, place=place)
    if fault is not None:
        raise ValueError(f'{file} is not {kind}: {fault}; {remedy}')
    return record


def whole(
    low: int = 0, high: int = MAX_ROWS, *, required: bool = True
) -> Field:
    """Return the requirement of a whole number in [low, high]."""
    return Field(
        f'a whole number in [{low}, {high}]',
        lambda value: type(value) is int and low <= value <= high,
        required,
    )


def text(*, required: bool = True) -> Field:
    """Return the requirement of a text."""
    return Field('a text', lambda value: isinstance(value, str), required)


def sequence(
    of: Callable[[Any], bool], expected: str, *, required: bool = True
) -> Field:
    """Return the field of a list, every item of which must pass ``of``."""
    return Field(
        expected,
        lambda value: isinstance(value, list) and all(map(of, value)),
        required,
    )


def pairs_of_texts() -> Field:
    """Return the requirement of a list of (key, reason)."""
    return sequence(
        lambda pair: (
            isinstance(pair, list)
            and len(pair) == 2
            and all(isinstance(word, str) for word in pair)
        ),
        'a list of pairs of texts',
    )


def _find_fault(
    record: Any,  # noqa: ANN401
    fields: Mapping[str, Field],
    *,
    only: bool,
    place: str,
) -> str | None:
    if not isinstance(record, dict):
        where = f'{place.rstrip(".")} must be' if place else 'expected'
        return f'{where} an object, got {describe_value(record)}'
    for key, field in fields.items():
        if key not in record:
            if field.required:
                return f'{place}{key} is missing'
        elif not field.accepts(record[key]):
            return (
                f'{place}{key} must be {field.expected}, got '
                f'{describe_value(record[key])}'
            )
    unknown = sorted(record.keys() - fields.keys()) if only else []
    if unknown:
        return f'{place}{unknown[0][:80]!r} is not known'
    return None
