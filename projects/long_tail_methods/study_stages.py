"""Stages of one seed of the study."""

import sys
from collections.abc import Sequence
from pathlib import Path

from methods import ENSEMBLES, METHODS, PLAIN, Method

from ltvl_mm.utils.stages import Stage

sys.path.append(str(Path(__file__).parents[1]))  # what all studies share

from toy_stages import (
    COUNTS,
    MANIFEST,
    ZERO_SHOT,
    draw_stage,
    ensemble_stage,
    features_stage,
    find_run,
    list_retrieval_stages,
    name_run,
    predict_val_stage,
    score_stage,
    score_zero_shot_stage,
    tool_stage,
    train_stage,
)


def list_stages(
    work: Path,
    seed: int,
    methods: Sequence[str],
    retrieval: str = 'both',
    world_options: Sequence[str] = (),
) -> list[Stage]:
    """Return the stages of one seed, each after those that it needs.

    Args:
        work: Folder of the seed.
        seed: Seed of world and trainings.
        methods: Keys of ``METHODS``; the plain student is always trained.
        retrieval: ``'none'``, ``'with'`` or ``'both'``.
        world_options: Options of ``make_emoji_world.py``.
    """
    stages = [draw_stage(work, seed, world_options)]
    stages.append(score_zero_shot_stage(work))
    kinds = {'none': [False], 'with': [True], 'both': [False, True]}[retrieval]
    if True in kinds:
        stages += list_retrieval_stages(work)
    chosen = dict.fromkeys([PLAIN, *methods])
    for key in chosen:
        method = METHODS[key]
        for retrieved in kinds:
            if method.retrieval if retrieved else method.plain:
                stages += _list_method_stages(work, seed, key, retrieved)
    # First stages are shared by several methods.
    return list({stage.name: stage for stage in stages}.values())


def _list_method_stages(
    work: Path, seed: int, key: str, retrieval: bool
) -> list[Stage]:
    """Return the stages of a method without or with retrieved images."""
    method = METHODS[key]
    stages, first = [], None
    if method.first:
        first = name_run(method.first, retrieval=retrieval)
        stages.append(
            train_stage(work, seed, method.first, retrieval=retrieval)
        )
    stages += [
        train_stage(
            work,
            seed,
            method.config,
            retrieval=retrieval,
            first=first,
            options=method.options,
        ),
        score_stage(work, method.config, retrieval=retrieval),
    ]
    run = name_run(method.config, retrieval=retrieval)
    if key in ENSEMBLES:
        zero_shot = f'{ZERO_SHOT}/{ZERO_SHOT}'
        stages += [
            predict_val_stage(work, ZERO_SHOT, zero_shot),
            predict_val_stage(work, run, method.config),
            ensemble_stage(work, run),
        ]
    if key == PLAIN:
        stages.append(_adjust_stage(work, run, retrieval))
    if key in (PLAIN, 'reslt'):
        stages += _list_classifier_stages(work, run, method)
    return stages


def _adjust_stage(work: Path, run: str, retrieval: bool) -> Stage:
    """Return the stage that adjusts the plain student's logits."""
    folder = find_run(run)
    return tool_stage(
        *(work, f'adjust logits of {run}'),
        'tools/analysis_tools/adjust_logits.py',
        *('--val', f'{folder}/val.npz', '--test', f'{folder}/test.npz'),
        f'--class-counts={COUNTS}',
        *(['--manifest', MANIFEST] if retrieval else []),
        *('-o', f'{folder}/post_hoc'),
        needs=[f'test {run}', f'predict val of {run}'],
    )


def _list_classifier_stages(
    work: Path, run: str, method: Method
) -> list[Stage]:
    """Return the stages that make other classifiers of saved features."""
    folder, splits = find_run(run), ('train', 'val', 'test')
    stages = [
        features_stage(work, run, method.config, split) for split in splits
    ]
    tune = tool_stage(
        *(work, f'tune classifiers of {run}'),
        'tools/analysis_tools/tune_classifier.py',
        *(f'--{split}={folder}/features_{split}.npz' for split in splits),
        f'--checkpoint={folder}',
        f'--class-counts={COUNTS}',
        *('-o', f'{folder}/post_hoc'),
        needs=[stage.name for stage in stages],
    )
    return [*stages, tune]
