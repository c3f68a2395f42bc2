"""Models of the benchmark: rows of its table."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # what all studies share

from toy_stages import NO_RETRIEVAL, ZERO_SHOT, find_run, name_run

# Student -> name; trained by cross_entropy_<student>.py.
STUDENTS = {
    'r18': 'ResNet-18',
    'deit': 'DeiT',
    'container': 'CONTAINER',
    'convnext': 'ConvNeXt',
    'timm': 'ResNet-18 of timm',
}
# Recipes of each student.
COMPARED = (NO_RETRIEVAL, 'plain')
BALLAD_A, BALLAD_B = 'ballad/ballad_a', 'ballad/ballad_b'


@dataclass(frozen=True)
class Model:
    """A row of the table.

    Args:
        folder: Folder of its metrics, in that of the seed.
        method: Name of the method in the table.
        student: True if it is none of the towers of CLIP.
        retrieval: True if it was trained on retrieved images.
    """

    folder: str
    method: str
    student: bool = False
    retrieval: bool = False


def list_models(students: Sequence[str]) -> list[Model]:
    """Return the rows of the table, in their order.

    Args:
        students: Keys of ``STUDENTS``.
    """
    models = [
        Model(find_run(ZERO_SHOT), 'CLIP zero-shot'),
        Model(find_run('ballad_b'), 'BALLAD, A then B'),
    ]
    for student in students:
        for recipe in COMPARED:
            retrieval = recipe != NO_RETRIEVAL
            run = name_run(name_student(student), recipe)
            name = STUDENTS[student] + ' + retrieval' * retrieval
            folder = find_run(run)
            kind = dict(student=True, retrieval=retrieval)
            models += [
                Model(folder, name, **kind),
                Model(f'{folder}_clip', f'{name} + CLIP', **kind),
            ]
    return models


def name_student(student: str) -> str:
    """Return the config of a student below ``configs/toy``."""
    return f'cross_entropy/cross_entropy_{student}'
