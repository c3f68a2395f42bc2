"""The toy world's web memory: tars as img2dataset writes them."""

from pathlib import Path

from ltvl_mm.datasets.toy_drawing import CLASS_NAMES, draw_image
from ltvl_mm.datasets.toy_world_spec import (
    STREAMS,
    ToyWorldSize,
    draw_split_image,
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


def write_web_part(path: Path, *, number: int, size: ToyWorldSize) -> None:
    """Write tar ``number``: image, caption and record of each key."""
    start = number * size.web_per_tar

    def caption_row(row: WebRow) -> str:
        key = str(row['key']).split('/')[1]
        # A generator of its own: a duplicate has other words around it.
        rng = make_generator(size.seed, STREAMS['web'], 1, int(key))
        name = row['class_name'] or CLASS_NAMES[rng.integers(96)]
        return write_caption(str(name), rng)

    write_web_tar(
        path,
        _plan_web(size)[start : start + size.web_per_tar],
        write_caption=caption_row,
        encode_image=lambda row: _web_bytes(row, size),
    )


def write_web_plan(path: Path, *, size: ToyWorldSize) -> None:
    """Write class, kind of plant and source of every web image."""
    write_web_truth(path, _plan_web(size))


def _plan_web(size: ToyWorldSize) -> list[WebRow]:
    """Decide for each web image its class and whether it is planted.

    2 % exact duplicates, 1 % near-copies of test images, 1 % undecodable,
    and of the rest 15 % show no object.
    """
    rng = make_generator(size.seed, STREAMS['plant'])
    plants = rng.choice(
        ['duplicate', 'test_copy', 'undecodable', ''],
        size.web,
        p=[0.02, 0.01, 0.01, 0.96],
    )
    plants[0] = ''  # something to duplicate
    classes = rng.integers(len(CLASS_NAMES), size=size.web)
    empty = rng.random(size.web) < 0.15
    rows: list[WebRow] = []
    originals: list[int] = []
    for index, plant in enumerate(plants):
        name = '' if empty[index] else CLASS_NAMES[classes[index]]
        row = {
            'key': format_web_key(index, size.web_per_tar),
            'class_name': name,
            'plant': str(plant),
            'source': '',
            'index': index,
        }
        if plant == 'duplicate':
            source = int(rng.choice(originals))
            row |= {
                'index': source,
                'source': rows[source]['key'],
                'class_name': rows[source]['class_name'],
            }
        elif plant == 'test_copy':
            label = int(classes[index])
            number = int(rng.integers(size.test_per_class))
            row |= {
                'class_name': CLASS_NAMES[label],
                'source': f'{label}/{number}',
            }
        elif not plant:
            originals.append(index)
        rows.append(row)
    return rows


def _web_bytes(row: WebRow, size: ToyWorldSize) -> bytes:
    rng = make_generator(size.seed, STREAMS['web'], int(row['index']))
    if row['plant'] == 'test_copy':
        label, number = map(int, str(row['source']).split('/'))
        return encode_near_duplicate(
            draw_split_image('test', label, number, size.seed), rng
        )
    name = str(row['class_name']) or None
    data = encode_jpeg(draw_image(name, rng, web_look=True))
    return break_file(data, rng) if row['plant'] == 'undecodable' else data
