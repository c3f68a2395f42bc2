"""Rows of a table as stages; a shared stage runs once."""

from collections.abc import Iterable
from pathlib import Path

from prerequisites import SPLITS
from rows import Row

from ltvl_mm.structures.class_counts import find_shot_accuracy
from ltvl_mm.utils.stages import Stage, python_stage

# Recipe -> option of the second config that names the folder of the first.
FIRST_STAGES = {
    'decoupled': 'model.stage_1',
    'distilled': 'model.teacher_checkpoint',
}


def plan_rows(
    rows: Iterable[Row], work: Path, seed: int, *, gpus: int
) -> list[Stage]:
    """Return the stages of one seed, each needing those before it.

    Args:
        rows: Those to run, each with configs.
        work: Folder of the seed; a config's results go to a folder of its
            own below it.
        seed: Seed of the trainings.
        gpus: Processes per training; 1 needs no launcher.
    """
    stages = {}
    for row in rows:
        for stage in list_stages(row, work, seed, gpus=gpus):
            stages.setdefault(stage.name, stage)
    return list(stages.values())


def list_stages(row: Row, work: Path, seed: int, *, gpus: int) -> list[Stage]:
    """Return the stages of a row, each needing those before it."""
    trained = row.configs
    if row.recipe == 'zero_shot':
        trained = ()
    elif row.recipe == 'ensemble':
        trained = row.configs[:1]
    stages = []
    for before, config in zip([None, *trained], trained, strict=False):
        options = [f'randomness.seed={seed}']
        option = FIRST_STAGES.get(row.recipe)
        if before is not None and option is not None:
            options.append(f'{option}={work / before.stem}')
        elif before is not None:
            options += _use_phase_a(work / before.stem)
        stages.append(_train(config, work, options, gpus))
    if row.recipe == 'ensemble':
        return stages + _mix(row, work)
    if row.recipe == 'tau_norm':
        (config,) = row.configs
        return stages + _list_classifier_stages(config, work / config.stem)
    weights = _find_weights(row.configs[-1], work)
    return [*stages, _test(row.configs[-1], work, weights)]


def _list_classifier_stages(config: Path, folder: Path) -> list[Stage]:
    """Return the stages that make other classifiers of a trained student.

    Without val, tau is chosen on train.

    Args:
        config: Config of the student.
        folder: Folder of its training, where its features are written.
    """
    files = {
        split: folder / f'features_{split}.npz'
        for split in _list_splits(config)
    }
    stages = [
        python_stage(
            f'features of {split} from {config.stem}',
            'tools/analysis_tools/save_features.py',
            *(config, folder, f'--split={split}', '-o', file),
        )
        for split, file in files.items()
    ]
    tune = python_stage(
        f'tau-normalize {config.stem}',
        'tools/analysis_tools/tune_classifier.py',
        *(f'--{split}={file}' for split, file in files.items()),
        f'--checkpoint={folder}',
        f'--class-counts={_find_counts(config)}',
        *('-o', folder / 'classifiers'),
    )
    return [*stages, tune]


def _train(config: Path, work: Path, options: list[str], gpus: int) -> Stage:
    arguments = (
        '--work-dir',
        str(work / config.stem),
        '--resume',
        '--cfg-options',
        *options,
    )
    name = f'train {config.stem}'
    if gpus == 1:
        return python_stage(name, 'tools/train.py', config, *arguments)
    return Stage(
        name,
        ('bash', 'tools/dist_train.sh', str(config), str(gpus), *arguments),
    )


def _use_phase_a(folder: Path) -> list[str]:
    """Return the options that start phase B from our phase A."""
    return [
        f'model.{part}.pretrained={folder}' for part in ('backbone', 'head')
    ]


def _find_weights(config: Path, work: Path) -> Path | None:
    """Return what to test; None if the config itself names it."""
    if config.stem.startswith('clip_zero_shot'):
        return None
    return work / config.stem


def _test(config: Path, work: Path, weights: Path | None) -> Stage:
    folder = work / config.stem
    return python_stage(
        f'test {config.stem}',
        'tools/test.py',
        config,
        *([] if weights is None else [weights]),
        '--work-dir',
        folder / 'test',
        '--out',
        folder / 'metrics.json',
        '--out-item=metrics',
    )


def _mix(row: Row, work: Path) -> list[Stage]:
    """Save what both models say of val and test; mix them."""
    stages, files = [], {}
    for split in ('val', 'test'):
        for config in row.configs:
            weights = _find_weights(config, work)
            file = work / config.stem / f'{split}.npz'
            files.setdefault(split, []).append(file)
            stages.append(
                python_stage(
                    f'predict {split} with {config.stem}',
                    'tools/test.py',
                    config,
                    *([] if weights is None else [weights]),
                    f'--split={split}',
                    '--work-dir',
                    work / config.stem / 'test',
                    '--out',
                    file,
                )
            )
    counts = _find_counts(row.configs[0])
    mix = python_stage(
        f'mix {row.folder}',
        'tools/analysis_tools/tune_ensemble.py',
        '--val',
        *files['val'],
        '--test',
        *files['test'],
        f'--class-counts={counts}',
        '-o',
        work / row.folder,
    )
    return [*stages, mix]


def _find_counts(config: Path) -> Path | str:
    from mmengine.config import Config

    evaluators = Config.fromfile(config).test_evaluator
    return find_shot_accuracy(evaluators).class_counts


def _list_splits(config: Path) -> list[str]:
    """Return the splits of a config; iNaturalist has no val."""
    from mmengine.config import Config

    cfg = Config.fromfile(config)
    return [s for s in SPLITS if cfg.get(f'{s}_dataloader') is not None]
