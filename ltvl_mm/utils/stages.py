"""Long studies as stages: commands that a user could type, each run once."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ltvl_mm.utils.io import atomic_write, hash_content
from ltvl_mm.utils.lock import FolderLock, locked_folder
from ltvl_mm.utils.package_files import find_root
from ltvl_mm.utils.stage_runner import run_logged

ROOT = find_root()


@dataclass(frozen=True)
class Stage:
    """A command, and a name that says what for."""

    name: str
    command: tuple[str, ...]


def python_stage(name: str, script: str, *args: object) -> Stage:
    """Return the stage that runs a Python script of the clone."""
    return Stage(name, (sys.executable, script, *map(str, args)))


def train_stage(name: str, config: str, work: Path, seed: int) -> Stage:
    """Return the stage that trains ``configs/toy/<config>.py``.

    Its checkpoints go to ``<work>/<config>``; a killed one resumes.
    """
    return python_stage(
        name,
        'tools/train.py',
        f'configs/toy/{config}.py',
        '--work-dir',
        work / config,
        '--resume',
        '--cfg-options',
        f'randomness.seed={seed}',
    )


def score_stage(name: str, config: str, work: Path, weights: Path) -> Stage:
    """Return the stage that writes ``metrics.json`` and ``test.npz``.

    To ``<work>/<config>/``, where ``tools/report.py`` looks for them.
    """
    return python_stage(
        name,
        'tools/test.py',
        f'configs/toy/{config}.py',
        weights,
        '--work-dir',
        work / config / 'test',
        '--out',
        work / config / 'metrics.json',
        '--out-item=metrics',
        '--predictions',
        work / config / 'test.npz',
    )


def features_stage(config: str | Path, folder: Path, split: str) -> Stage:
    """Return the stage that writes ``<folder>/features_<split>.npz``.

    Args:
        config: Of the training.
        folder: Of its checkpoints.
        split: ``'train'``, ``'val'`` or ``'test'``.
    """
    return python_stage(
        f'features of {split} from {Path(config).stem}',
        'tools/analysis_tools/save_features.py',
        config,
        folder,
        f'--split={split}',
        '-o',
        folder / f'features_{split}.npz',
    )


def classifier_stages(
    config: str | Path,
    folder: Path,
    counts: str | Path,
    out: Path,
    *,
    splits: Sequence[str] = ('train', 'val', 'test'),
) -> list[Stage]:
    """Return the stages that make other classifiers of a trained student.

    Args:
        config: Of the student.
        folder: Of its training; its features go there.
        counts: Training list.
        out: Folder of what ``tune_classifier.py`` writes.
        splits: Of the config; without val, tau is chosen on train.
    """
    stages = [features_stage(config, folder, split) for split in splits]
    tune = python_stage(
        f'tau-normalise {Path(config).stem}',
        'tools/analysis_tools/tune_classifier.py',
        *(f'--{split}={folder}/features_{split}.npz' for split in splits),
        f'--checkpoint={folder}',
        f'--class-counts={counts}',
        '-o',
        out,
    )
    return [*stages, tune]


def run_study(
    work: Path,
    seeds: Sequence[int],
    list_stages: Callable[[Path, int], Sequence[Stage]],
    set_environment: Callable[[Path], Mapping[str, str]],
    *,
    say: Callable[[str], object],
    last: Sequence[Stage] = (),
) -> None:
    """Run the stages of each seed that no earlier run has finished.

    Args:
        work: Seed s works in ``seed<s>/``; logs, and marks of what is done,
            go to its ``logs/``.
        seeds: Of the study.
        list_stages: (folder of a seed, seed) -> stages, each needing those
            before it.
        set_environment: Folder of a seed -> variables that its stages get
            beside the present ones.
        say: Takes the lines that tell how far it is.
        last: Stages about all seeds; run each time, in ``work``.

    Raises:
        RuntimeError: If a stage fails; with the end of its log.
    """
    start = time.monotonic()
    # A killed run leaves its stage running alone: the lock names both, and
    # the next run waits.
    with locked_folder(work, wait=say) as lock:
        for seed in seeds:
            folder = work / f'seed{seed}'
            stages = list_stages(folder, seed)
            for number, stage in enumerate(stages, 1):
                title = f'[seed {seed}, {number}/{len(stages)}] {stage.name}'
                if is_done(stage, folder):
                    say(f'{title}: done before')
                    continue
                say(f'{title}\n    {" ".join(stage.command[1:])}')
                begin = time.monotonic()
                _run_stage(stage, folder, set_environment(folder), lock)
                say(f'    {time.monotonic() - begin:.0f} s')
        for stage in last:
            say(f'{stage.name}\n    {" ".join(stage.command[1:])}')
            _run_stage(stage, work, {}, lock)
    say(f'all stages done in {time.monotonic() - start:.0f} s\n')


def is_done(stage: Stage, folder: Path) -> bool:
    """Return whether an earlier run finished this very command."""
    return _read_mark(stage, folder)[:1] == [hash_content(stage.command)]


def read_seconds(stage: Stage, folder: Path) -> float | None:
    """Return how long a finished stage took, since its last resume."""
    mark = _read_mark(stage, folder)
    return float(mark[1]) if len(mark) > 1 else None


def _find_log(stage: Stage, folder: Path) -> Path:
    return folder / 'logs' / f'{stage.name.replace(" ", "_")}.log'


def _read_mark(stage: Stage, folder: Path) -> list[str]:
    """Return hash and seconds of the command that finished, or nothing."""
    mark = _find_log(stage, folder).with_suffix('.done')
    return mark.read_text().split() if mark.exists() else []


def _run_stage(
    stage: Stage,
    folder: Path,
    environment: Mapping[str, str],
    lock: FolderLock,
) -> None:
    begin = time.monotonic()
    log = _find_log(stage, folder)
    run_logged(
        stage.name,
        stage.command,
        log,
        environment=environment,
        lock=lock,
        cwd=ROOT,
    )
    with atomic_write(log.with_suffix('.done'), 'w') as file:
        seconds = time.monotonic() - begin
        file.write(f'{hash_content(stage.command)} {seconds:.1f}')
