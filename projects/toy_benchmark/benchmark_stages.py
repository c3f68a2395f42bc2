"""Stages of the benchmark."""

from collections.abc import Sequence
from pathlib import Path

from models import (
    BALLAD_A,
    BALLAD_B,
    COMPARED,
    STUDENTS,
    list_models,
    name_student,
)
from toy_stages import (
    COUNTS,
    MANIFEST,
    NO_RETRIEVAL,
    RETRIEVE,
    WORLD,
    ZERO_SHOT,
    draw_stage,
    ensemble_stage,
    features_stage,
    find_run,
    list_embedding_stages,
    name_run,
    predict_val_stage,
    retrieve_stage,
    score_stage,
    score_zero_shot_stage,
    tool_stage,
    train_stage,
)

from ltvl_mm.datasets.emoji_concepts import ATTRIBUTION
from ltvl_mm.utils.stages import Stage, python_stage


def list_stages(work: Path, seed: int, students: Sequence[str]) -> list[Stage]:
    """Return the stages of one seed, each after those that it needs.

    Args:
        work: Folder of the seed.
        seed: Seed of world and trainings.
        students: Keys of ``STUDENTS``.
    """
    plain, tackle = (
        [
            _list_training(work, seed, name_student(student), recipe)
            for student in students
        ]
        for recipe in COMPARED
    )
    stages = [
        draw_stage(work, seed),
        # The longest chains first: embed, retrieve, train; phases A and B.
        *list_embedding_stages(work),
        retrieve_stage(work),
        *_list_training(work, seed, BALLAD_A, scored=False),
        *_join(plain),
        *_join(tackle),
        *_list_training(work, seed, BALLAD_B, first=BALLAD_A),
        score_zero_shot_stage(work),
        predict_val_stage(work, ZERO_SHOT, f'{ZERO_SHOT}/{ZERO_SHOT}'),
    ]
    for student in students:
        stages += _list_ensembles(work, student)
    return [*stages, *_list_pictures(work, students)]


def _list_training(
    work: Path,
    seed: int,
    config: str,
    recipe: str = NO_RETRIEVAL,
    *,
    first: str | None = None,
    scored: bool = True,
) -> list[Stage]:
    """Train, test, and save what the report maps."""
    run = name_run(config, recipe)
    training = train_stage(
        work,
        seed,
        config,
        recipe=recipe,
        first=first and name_run(first, recipe),
        options=[f'model.{p}.pretrained={{}}' for p in ('backbone', 'head')]
        if first
        else (),
    )
    if not scored:
        return [training]
    return [
        training,
        score_stage(work, config, recipe=recipe),
        features_stage(work, run, config, 'test'),
    ]


def _list_ensembles(work: Path, student: str) -> list[Stage]:
    """Mix a student, without and with retrieved images, with CLIP."""
    stages = []
    for recipe in COMPARED:
        config = name_student(student)
        run = name_run(config, recipe)
        stages += [
            predict_val_stage(work, run, config),
            ensemble_stage(work, run),
        ]
    return stages


def _list_pictures(work: Path, students: Sequence[str]) -> list[Stage]:
    """Draw retrieved images, and what each class gains."""
    stages = [
        tool_stage(
            *(work, 'draw retrieved images'),
            'tools/visualization/contact_sheet.py',
            *(MANIFEST, f'--class-counts={COUNTS}', '-o', 'retrieved.png'),
            needs=[RETRIEVE],
        )
    ]
    for student in students:
        runs = [name_run(name_student(student), recipe) for recipe in COMPARED]
        names = ('without retrieval', 'with retrieval')
        stages.append(
            tool_stage(
                *(work, f'plot {student}'),
                'tools/visualization/class_accuracy.py',
                *(
                    f'{name}={find_run(run)}/metrics.json'
                    for name, run in zip(names, runs, strict=True)
                ),
                f'--class-counts={COUNTS}',
                *('-o', f'accuracy_{student}.png'),
                needs=[f'test {run}' for run in runs],
            )
        )
    return stages


def make_report(
    work: Path, seeds: Sequence[int], students: Sequence[str]
) -> Stage:
    """Return the stage that makes one page of all seeds.

    Args:
        work: Folder of the study.
        seeds: Seeds that were run.
        students: Keys of ``STUDENTS``.
    """
    world = work / f'seed{seeds[0]}' / WORLD
    return python_stage(
        'report',
        'tools/report.py',
        *(
            f'{model.method}={work}/seed{seed}/{model.folder}'
            for model in list_models(students)
            for seed in seeds
        ),
        '--title=Emoji world',
        f'--attribution={ATTRIBUTION}',
        f'--baseline={STUDENTS[students[0]]}',
        f'--truth={world}/web_truth.csv',
        f'--train-images={world}',
        '-o',
        work / 'report.html',
    )


def _join(trainings: Sequence[Sequence[Stage]]) -> list[Stage]:
    return [stage for stages in trainings for stage in stages]
