"""The web images of an emoji world."""

from pathlib import Path

import numpy as np

from ltvl_mm.datasets.emoji_concepts import Glyph
from ltvl_mm.datasets.emoji_world_spec import (
    STREAMS,
    EmojiWorldSize,
    choose_glyph,
    draw_split_image,
    draw_web_look,
    write_caption,
)
from ltvl_mm.datasets.web_tars import (
    WebRow,
    break_file,
    encode_jpeg,
    encode_near_duplicate,
    format_web_key,
    write_web_tar,
    write_web_truth,
)
from ltvl_mm.utils.rng import make_generator

# Shares of all web images; each is rounded to a number of images.
PLANT_SHARES = {'duplicate': 0.02, 'test_copy': 0.01, 'undecodable': 0.01}
# Shares of what is not a copy of a test image; the others show an object of
# no class.
_CLASS_SHARE = 0.78
_EMPTY_SHARE = 0.05


def write_web_part(path: Path, *, number: int, size: EmojiWorldSize) -> None:
    """Write tar ``number``: image, caption and record of each key."""
    start = number * size.web_per_tar
    write_web_tar(
        path,
        plan_web(size)[start : start + size.web_per_tar],
        write_caption=lambda row: _write_row_caption(row, size),
        encode_image=lambda row: _encode_row(row, size),
    )


def write_web_plan(path: Path, *, size: EmojiWorldSize) -> None:
    """Write class, kind of plant and source of every web image."""
    write_web_truth(path, plan_web(size))


def plan_web(size: EmojiWorldSize) -> list[WebRow]:
    """Decide what each web image shows and which ones are planted.

    Returns:
        Rows with ``key``, ``class_name`` ('' if no class is shown), ``plant``
        ('' if none), ``source`` (key of a duplicate's original, or
        label/number of a test image), ``kind`` and ``index``, which seeds
        the picture.
    """
    rng = make_generator(size.seed, STREAMS['plan'])
    plants = _place_plants(size.web, rng)
    labels = rng.integers(size.classes, size=size.web)
    kinds = rng.choice(
        ['class', 'other', 'empty'],
        size.web,
        p=[_CLASS_SHARE, 1 - _CLASS_SHARE - _EMPTY_SHARE, _EMPTY_SHARE],
    )
    originals = np.flatnonzero(plants == '')
    rows: list[WebRow] = []
    for index, plant in enumerate(plants):
        name = size.class_names[labels[index]]
        row: WebRow = {
            'key': format_web_key(index, size.web_per_tar),
            'class_name': name if kinds[index] == 'class' else '',
            'plant': str(plant),
            'source': '',
            'kind': str(kinds[index]),
            'index': index,
        }
        if plant == 'duplicate':
            # Of an earlier image; the first image is never planted.
            earlier = originals[: np.searchsorted(originals, index)]
            original = rows[int(rng.choice(earlier))]
            copied = ('class_name', 'kind', 'index')
            row |= {name: original[name] for name in copied}
            row['source'] = original['key']
        elif plant == 'test_copy':
            number = int(rng.integers(size.test_per_class))
            row |= {'class_name': name, 'kind': 'class'}
            row['source'] = f'{labels[index]}/{number}'
        rows.append(row)
    return rows


def _place_plants(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return the kind of plant of each image; exact numbers of each."""
    plants = [
        kind
        for kind, share in PLANT_SHARES.items()
        for _ in range(round(share * count))
    ]
    places = 1 + rng.choice(count - 1, len(plants), replace=False)
    kinds = np.full(count, '', dtype='<U12')
    kinds[places] = plants
    return kinds


def _encode_row(row: WebRow, size: EmojiWorldSize) -> bytes:
    if row['plant'] == 'test_copy':
        label, number = map(int, str(row['source']).split('/'))
        return encode_near_duplicate(
            draw_split_image('test', label, number, size.seed),
            make_generator(size.seed, STREAMS['web'], int(row['index'])),
        )
    rng, glyph = _choose_row_glyph(row, size)
    data = encode_jpeg(draw_web_look(glyph, rng))
    return break_file(data, rng) if row['plant'] == 'undecodable' else data


def _write_row_caption(row: WebRow, size: EmojiWorldSize) -> str:
    _, glyph = _choose_row_glyph(row, size)
    # A generator of its own: a duplicate has other words around it.
    number = int(str(row['key']).split('/')[1])
    rng = make_generator(size.seed, STREAMS['web'], 1, number)
    return write_caption(str(row['class_name']), glyph, rng)


def _choose_row_glyph(
    row: WebRow, size: EmojiWorldSize
) -> tuple[np.random.Generator, Glyph | None]:
    """Return the main glyph, and the generator that draws it next."""
    rng = make_generator(size.seed, STREAMS['web'], int(row['index']))
    if row['kind'] == 'empty':
        return rng, None
    return rng, choose_glyph(str(row['class_name']), rng)
