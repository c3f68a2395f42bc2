"""Stages of one seed of the study."""

from collections.abc import Sequence
from pathlib import Path

from methods import (
    ENSEMBLES,
    METHODS,
    PLAIN,
    SOUP_IMBALANCES,
    SOUP_SHARE,
    SOUP_SUBSETS,
    Method,
)
from toy_stages import (
    COUNTS,
    NO_RETRIEVAL,
    RECIPES,
    RETRIEVALS,
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

from ltvl_mm.utils.stages import ROOT, Stage


def list_stages(
    work: Path,
    seed: int,
    methods: Sequence[str],
    recipes: Sequence[str] = tuple(RECIPES),
    world_options: Sequence[str] = (),
) -> list[Stage]:
    """Return the stages of one seed, each after those that it needs.

    Args:
        work: Folder of the seed.
        seed: Seed of world and trainings.
        methods: Keys of ``METHODS``; the plain student is always trained.
        recipes: Keys of ``RECIPES`` to train with.
        world_options: Options of ``make_emoji_world.py``.
    """
    stages = [draw_stage(work, seed, world_options)]
    stages.append(score_zero_shot_stage(work))
    retrievals = [name for name in recipes if name != NO_RETRIEVAL]
    if retrievals:
        stages += list_embedding_stages(work)
    stages += [retrieve_stage(work, name) for name in retrievals]
    chosen = dict.fromkeys([PLAIN, *methods])
    for key in chosen:
        method = METHODS[key]
        for recipe in recipes:
            if recipe in method.recipes:
                stages += _list_method_stages(work, seed, key, recipe)
    # First stages are shared by several methods.
    return list({stage.name: stage for stage in stages}.values())


def _list_method_stages(
    work: Path, seed: int, key: str, recipe: str
) -> list[Stage]:
    """Return the stages of a method; all its trainings have one recipe."""
    method = METHODS[key]
    stages, first, first_stage = [], None, None
    if method.soup:
        stages, first = _list_soup_stages(work, seed, method.first, recipe)
        first_stage = stages[-1].name
    elif method.first:
        first = name_run(method.first, recipe)
        stages = [train_stage(work, seed, method.first, recipe=recipe)]
    stages += [
        train_stage(
            work,
            seed,
            method.config,
            recipe=recipe,
            first=first,
            first_stage=first_stage,
            options=method.options,
        ),
        score_stage(work, method.config, recipe=recipe),
    ]
    run = name_run(method.config, recipe)
    if key in ENSEMBLES:
        zero_shot = f'{ZERO_SHOT}/{ZERO_SHOT}'
        stages += [
            predict_val_stage(work, ZERO_SHOT, zero_shot),
            predict_val_stage(work, run, method.config),
            ensemble_stage(work, run),
        ]
    if key == PLAIN:
        stages.append(_adjust_stage(work, run, recipe))
    if key in (PLAIN, 'reslt'):
        stages += _list_classifier_stages(work, run, method)
    return stages


def _list_soup_stages(
    work: Path, seed: int, config: str, recipe: str
) -> tuple[list[Stage], str]:
    """Return the stages that train on subsets and average, and their run.

    Each training has a seed of its own, for its subset and its batches.
    """
    run, stages, members = name_run(config, recipe), [], []
    for imbalance in SOUP_IMBALANCES:
        for subset in range(SOUP_SUBSETS):
            own_seed = SOUP_SUBSETS * seed + subset
            members.append(f'{run}_{imbalance}_{subset}')
            stage = train_stage(
                work,
                own_seed,
                config,
                recipe=recipe,
                run=members[-1],
                options=(
                    f'train_dataloader.dataset.imbalance={imbalance}',
                    f'train_dataloader.dataset.seed={own_seed}',
                ),
            )
            stages.append(stage)
    merge = tool_stage(
        *(work, f'average {run}'),
        'tools/model_converters/average_weights.py',
        *map(find_run, members),
        f'--start={ROOT}/configs/toy/{config}.py',
        *(f'--merge={SOUP_SHARE}', f'--per-round={SOUP_SUBSETS}'),
        *('-o', find_run(run)),
        needs=[stage.name for stage in stages],
    )
    return [*stages, merge], run


def _adjust_stage(work: Path, run: str, recipe: str) -> Stage:
    """Return the stage that adjusts the plain student's logits.

    For the images per class that it was trained with.
    """
    counted = []
    if recipe != NO_RETRIEVAL:
        _, _, manifest, _ = RETRIEVALS[recipe]
        counted = ['--manifest', manifest]
    folder = find_run(run)
    return tool_stage(
        *(work, f'adjust logits of {run}'),
        'tools/analysis_tools/adjust_logits.py',
        *('--val', f'{folder}/val.npz', '--test', f'{folder}/test.npz'),
        f'--class-counts={COUNTS}',
        *counted,
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
