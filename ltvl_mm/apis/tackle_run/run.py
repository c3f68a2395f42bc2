"""From a folder of photos to a report, in resumable stages."""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ltvl_mm.apis.tackle_run.ballad_configs import make_ballad_configs
from ltvl_mm.apis.tackle_run.clip_check import is_here
from ltvl_mm.apis.tackle_run.config_files import (
    ConfigData,
    make_clip_config,
    make_student_config,
    write_config,
    write_tackle_config,
)
from ltvl_mm.apis.tackle_run.run_plan import (
    describe_data,
    describe_plan,
    estimate_disk,
)
from ltvl_mm.apis.tackle_run.run_preparation import (
    PreparedRun,
    check_disk,
    prepare_run,
)
from ltvl_mm.apis.tackle_run.run_verdict import (
    describe_retrieval,
    describe_scores,
    describe_zero_shot,
    judge_runs,
)
from ltvl_mm.apis.tackle_run.settings import (
    RunOptions,
    RunSettings,
    write_run_lists,
)
from ltvl_mm.utils.io import read_json, write_json
from ltvl_mm.utils.lock import locked_folder
from ltvl_mm.utils.package_files import find_root
from ltvl_mm.utils.stage_runner import (
    ResumableStage,
    StageFolder,
    run_stages,
)

VERDICT = 'verdict.json'
_CHECK = 'check retrieval'


class PoorRetrievalError(ValueError):
    """The retrieval is unlikely to help, and ``stop_on_warning`` is set."""


def run_tackle(
    photos: str | Path | Sequence[str | Path],
    *,
    out: str | Path,
    web: str | Path | Sequence[str | Path] = (),
    options: RunOptions | None = None,
    dry_run: bool = False,
    say: Callable[[str], object] | None = None,
) -> dict:
    """Retrieve web images for photos, train a student with and without them.

    As ``tools/run_tackle.py``: splits the photos, measures CLIP on val,
    embeds and retrieves web images, checks the retrieval, trains, tests,
    mixes with CLIP, and writes a report. Each stage is an ordinary command,
    which is printed; a killed run resumes when it is called again.

    Args:
        photos: A folder of class folders, with or without ``train/``,
            ``val/`` and ``test/``, or ``path label`` lists.
        out: Output folder.
        web: Embedding stores, or tars and folders of web images.
        options: Student, CLIP, retrieval and training; None (default) for
            the defaults of
            :class:`ltvl_mm.apis.tackle_run.settings.RunOptions`.
        dry_run: Return the plan and write nothing.
        say: Function that prints a line; None for ``print``.

    Returns:
        ``{'plan': text}`` of a dry run; else ``'report'``, path of the page;
        ``'table'``, accuracies on test; and ``'verdict'``, three sentences,
        if a student was trained without and with retrieved images.

    Raises:
        ValueError: If something that the run needs is missing or does not
            fit, before anything is written; or ``stop_on_warning`` is set
            and the retrieval is unlikely to help.
        RuntimeError: If a stage fails; with the end of its log.

    Examples:
        >>> import ltvl_mm
        >>> found = ltvl_mm.run_tackle(
        ...     'photos', web='web', out='run', dry_run=True
        ... )  # doctest: +SKIP
        >>> print(found['plan'])  # doctest: +SKIP
    """
    say = say or partial(print, flush=True)
    run = prepare_run(
        RunSettings(
            photos=_to_tuple(photos),
            out=Path(out),
            web=_to_tuple(web),
            **vars(options or RunOptions()),
        )
    )
    out, root = run.settings.out, find_root()
    folder = StageFolder(
        out, (out, run.photos.root, root), _set_environment(run.settings)
    )
    stages = run.stages.build(
        partial(
            describe_zero_shot,
            out / 'runs/zero_shot/val.npz',
            run.photos.counts,
            run.names,
        ),
        partial(describe_retrieval, out / 'retrieved'),
    )
    if dry_run:
        return {'plan': describe_plan(run, stages, folder)}
    check_disk(out, estimate_disk(run))
    # A killed run leaves its command running alone: wait for its end.
    with locked_folder(out, wait=say) as lock:
        for line in describe_data(run):
            say(line)
        write_inputs(run)
        say(
            f'class names: edit {run.settings.lists}/class_names.txt and run '
            f'the same command again'
        )
        for part in _split_at_check(stages):
            run_stages(part, folder, lock=lock, say=say, total=stages)
            if part[-1].name == _CHECK and run.settings.stop_on_warning:
                _stop_if_poor(out / 'retrieved/quality.json')
        return _conclude(run, say)


def write_inputs(run: PreparedRun) -> None:
    """Write lists, class names and configs; equal files stay untouched."""
    settings, configs = run.settings, run.settings.out / 'configs'
    write_run_lists(settings.lists, run.photos, run.names)
    data = ConfigData(
        root=run.photos.root,
        lists=settings.lists,
        num_classes=len(run.names),
        seed=settings.seed,
        gpus=settings.gpus,
    )
    title = f'{{}}, on {run.photos.root.name}. Written by run_tackle.py.'
    write_config(
        configs / 'student.py',
        title.format(f'{run.student.name} on the photos alone'),
        make_student_config(data, run.student, run.schedule, run.image_size),
    )
    if 'tackle' in settings.methods:
        write_tackle_config(
            configs / 'tackle.py',
            title.format(f'{run.student.name} with retrieved images'),
            settings.out / 'retrieved/manifest.parquet',
        )
    zero_shot = make_clip_config(
        data,
        settings.arch,
        settings.pretrained,
        settings.templates,
        run.preprocessing,
        settings.preprocess,
    )
    write_config(
        configs / 'zero_shot.py', title.format('CLIP zero-shot'), zero_shot
    )
    if 'ballad' in settings.methods:
        # What is not here is a tag of open_clip, which names it.
        tag = (
            None
            if is_here(settings.arch, settings.pretrained)
            else settings.pretrained
        )
        phases = make_ballad_configs(
            data,
            zero_shot,
            run.schedule,
            settings.out / 'runs/ballad_a',
            settings.preprocess or tag,
        )
        for name, values in phases.items():
            phase = f'BALLAD, phase {name[-1].upper()}'
            write_config(configs / f'{name}.py', title.format(phase), values)


def _conclude(run: PreparedRun, say: Callable[[str], object]) -> dict:
    """Print and return table and verdict."""
    out, stages = run.settings.out, run.stages
    named = stages.name_runs()
    runs = [(stages.run_folder(name), title) for name, title in named]
    table = describe_scores(runs, run.photos.counts)
    say(f'\naccuracy on test in percent:\n{table}')
    result: dict[str, Any] = {
        'report': str(out / 'report.html'),
        'table': table,
    }
    titles = dict(named)
    if 'student' in titles and 'tackle' in titles:
        sentences = judge_runs(
            stages.run_folder('student'),
            stages.run_folder('tackle'),
            out / 'retrieved',
            run.photos.counts,
            (titles['student'], titles['tackle']),
        )
        result['verdict'] = list(sentences)
        say('\n' + '\n'.join(sentences))
    elif 'tackle' in titles:
        say(
            'no student was trained without retrieved images, so it is not '
            'known what they add, to the student or to the ensemble with '
            'CLIP; add student to --methods'
        )
    write_json(out / VERDICT, result)
    say(f'\nreport: {result["report"]}')
    return result


def _split_at_check(
    stages: list[ResumableStage],
) -> list[list[ResumableStage]]:
    """Return the stages up to the check of the retrieval, and the others."""
    names = [stage.name for stage in stages]
    if _CHECK not in names:
        return [stages]
    end = names.index(_CHECK) + 1
    return [stages[:end], stages[end:]]


def _stop_if_poor(quality: Path) -> None:
    warnings = read_json(quality)['warnings']
    if warnings:
        raise PoorRetrievalError(
            f'stopped before training, because {warnings[0]["reason"]}. '
            f'{warnings[0]["remedies"][0]}'
        )


def _set_environment(settings: RunSettings) -> dict[str, str]:
    variables = {
        # What the launchers of several processes take.
        'LTVL_PYTHON': sys.executable,
    }
    if not settings.uses_cuda:
        variables['CUDA_VISIBLE_DEVICES'] = ''
    return variables


def _to_tuple(given: str | Path | Sequence[str | Path]) -> tuple:
    return (given,) if isinstance(given, (str, Path)) else tuple(given)
