"""Templates of prompts: named sets, files, or sentences."""

from collections.abc import Sequence
from pathlib import Path

import open_clip

from ltvl_mm.utils.io import read_json
from ltvl_mm.utils.text import read_lines

TEMPLATES = {
    'single': ('a photo of a {}.',),
    'openai_80': tuple(
        template('{}') for template in open_clip.OPENAI_IMAGENET_TEMPLATES
    ),
}


def find_templates(
    templates: str | Sequence[str] | Sequence[Sequence[str]],
) -> tuple[str, ...] | tuple[tuple[str, ...], ...]:
    """Return the sentences of a named set, of a file, or those given.

    A ``.json`` file holds one list of sentences per class, any other file
    one sentence per line, for all classes.

    Raises:
        ValueError: If the name is neither a set's nor a file's.
    """
    if isinstance(templates, str):
        templates = TEMPLATES.get(templates) or _read_templates(templates)
    entries: tuple = tuple(
        entry if isinstance(entry, str) else tuple(entry)
        for entry in templates
    )
    return entries


def _read_templates(file: str) -> list[str] | list[list[str]]:
    path = Path(file)
    if not path.is_file():
        raise ValueError(
            f'templates must be sentences, a file of them, or one of '
            f'{", ".join(TEMPLATES)}; got {file!r}'
        )
    if path.suffix == '.json':
        return read_json(path)
    return [line.text for line in read_lines(path)]
