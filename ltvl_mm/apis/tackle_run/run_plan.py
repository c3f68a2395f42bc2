"""The plan of a run as text: what it does, and what it costs."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from ltvl_mm.apis.tackle_run.ballad_configs import count_epochs
from ltvl_mm.apis.tackle_run.clip_check import is_here
from ltvl_mm.apis.tackle_run.estimates import estimate_store_bytes
from ltvl_mm.apis.tackle_run.run_preparation import PreparedRun
from ltvl_mm.clip.sources import has_own_weights
from ltvl_mm.clip.towers import find_arch
from ltvl_mm.structures.class_counts import GROUPS, group_classes
from ltvl_mm.utils.stage_runner import (
    ResumableStage,
    StageFolder,
    compute_keys,
    is_finished,
    show_command,
)

# Images that retrieval compares and copies in a second, on a CPU core.
_RETRIEVAL_RATE, _COPY_RATE = 20_000.0, 300.0
# Bytes of a checkpoint per parameter (weights and optimizer state), and
# checkpoints of a training: last, best, and one that is being written.
_CHECKPOINT_BYTES, _CHECKPOINTS = 12, 3
# Seconds from which the plan says what makes a run faster.
_LONG = 2 * 3600
# Starting a tool takes some seconds.
_START = 10.0
_FASTER = [
    'faster    a smaller student (--student resnet18), --image-size or '
    '--iterations; --pretrained-student needs fewer; or a GPU'
]


def describe_plan(
    run: PreparedRun, stages: Sequence[ResumableStage], folder: StageFolder
) -> str:
    """Return the plan of a run: data, costs, downloads and commands.

    Args:
        run: A checked run.
        stages: Its stages.
        folder: Folder of the run.
    """
    keys = compute_keys(stages, folder)
    lines = [*describe_data(run), '', '| stage | time | state |']
    lines.append('| :-- | --: | :-- |')
    total = 0.0
    for stage in stages:
        seconds = estimate_seconds(run, stage.name)
        done = is_finished(stage, folder, keys[stage.name])
        total += 0 if done else seconds
        state = 'done' if done else 'to do'
        lines.append(f'| {stage.name} | {spell_time(seconds)} | {state} |')
    lines += [
        '',
        f'time      about {spell_time(total)} on this machine, measured on a '
        f'few images and without reading and decoding',
        *(_FASTER if total > _LONG else []),
        f'disk      about {estimate_disk(run) / 1e9:.2f} GB in '
        f'{run.settings.out}',
        f'downloads {"; ".join(list_downloads(run)) or "none"}',
        '',
        'commands:',
        *(f'  {show_command(stage.command)}' for stage in stages),
    ]
    return '\n'.join(lines)


def describe_data(run: PreparedRun) -> list[str]:
    """Return lines about photos, student and web images."""
    photos, schedule = run.photos, run.schedule
    groups = group_classes(photos.counts)
    sizes = '/'.join(str(int((groups == name).sum())) for name in GROUPS)
    lists = ', '.join(
        f'{len(images):,} {split}' for split, images in photos.lists.items()
    )
    lines = [
        f'photos    {len(run.names)} classes, {sizes} many/medium/few; '
        f'{lists} images',
        f'student   {run.student.name}, '
        f'{run.student_cost.parameters / 1e6:.1f} M parameters, '
        f'{"pretrained" if run.student.weights else "random weights"}; '
        f'{run.image_size} px, {schedule.iterations:,} iterations of '
        f'{schedule.batch_size} images '
        f'({schedule.epochs} epoch{"s" * (schedule.epochs > 1)}), without and '
        f'with retrieved images',
        f'CLIP      {run.settings.clip}, prompts {run.settings.templates}',
    ]
    if run.budget is not None:
        lines.append(
            f'web       about {run.web_images:,} images, of which '
            f'{run.budget.sum():,} are wanted (budget '
            f'{run.settings.budget})'
        )
    return [*lines, *(f'note      {note}' for note in run.notes)]


def estimate_seconds(run: PreparedRun, name: str) -> float:
    """Return about how long a stage takes on this machine."""
    sizes = {split: len(one) for split, one in run.photos.lists.items()}
    encode = run.clip_cost.seconds or 0.0
    step = run.student_cost.seconds or 0.0
    gpus = run.settings.gpus
    predict = step / 3  # no backward pass
    training = run.schedule.iterations * run.schedule.batch_size * step / gpus
    validations = run.schedule.epochs // run.schedule.val_interval
    wanted = 0.0 if run.budget is None else float(run.budget.sum())
    epochs = count_epochs(run.schedule)
    phase = encode * epochs * run.schedule.epoch_size / gpus
    work: dict[str, Callable[[], float]] = {
        'zero-shot CLIP on val': lambda: sizes['val'] * encode,
        'zero-shot CLIP on test': lambda: sizes['test'] * encode,
        'embed val and test images': lambda: (
            (sizes['val'] + sizes['test']) * encode / gpus
        ),
        'embed web images': lambda: run.web_to_embed * encode / gpus,
        'retrieve': lambda: (
            run.web_images / _RETRIEVAL_RATE + wanted / _COPY_RATE
        ),
        # A backward pass costs as much as two forward passes.
        'train ballad_a': lambda: 3 * phase,
        'train ballad_b': lambda: phase,
    }
    for student in ('student', 'tackle'):
        work[f'train {student}'] = lambda: (
            training + validations * sizes['val'] * predict
        )
        for split in ('val', 'test'):
            work[f'test {student} on {split}'] = partial(
                lambda split: sizes[split] * predict, split
            )
    work['test ballad_b on test'] = lambda: sizes['test'] * encode
    return _START + (work[name]() if name in work else 0.0)


def estimate_disk(run: PreparedRun) -> float:
    """Return about how many bytes a run writes."""
    width = _find_width(run)
    held_out = len(run.photos.lists['val']) + len(run.photos.lists['test'])
    stores = estimate_store_bytes(held_out + run.web_to_embed, width)
    copies = 0.0 if run.budget is None else run.budget.sum() * run.web_bytes
    students = len({'student', 'tackle'} & set(run.settings.methods))
    weights = run.student_cost.parameters * students
    if 'ballad' in run.settings.methods:
        weights += 2 * run.clip_cost.parameters
    scores = 4.0 * len(run.names) * 2 * held_out * (students + 1)
    return float(
        stores + copies + weights * _CHECKPOINT_BYTES * _CHECKPOINTS + scores
    )


def list_downloads(run: PreparedRun) -> list[str]:
    """Return what is downloaded unless a cache has it, with sizes."""
    found = []
    settings = run.settings
    if not is_here(settings.arch, settings.pretrained):
        size = run.clip_cost.parameters * 4 / 1e6
        about = f'about {size:.0f} MB' if size else 'size unknown'
        found.append(
            f'CLIP {settings.clip} ({about}, unless it is in the cache of '
            f'open_clip)'
        )
    weights = run.student.weights
    if weights is not None and '://' in weights:
        size = run.student_cost.parameters * 4 / 1e6
        found.append(f'{weights} (about {size:.0f} MB)')
    return found


def spell_time(seconds: float) -> str:
    """Return seconds in the largest fitting unit."""
    for unit, size in (('h', 3600), ('min', 60)):
        if seconds >= size:
            return f'{seconds / size:.1f} {unit}'
    return f'{seconds:.0f} s'


def _find_width(run: PreparedRun) -> int:
    arch = run.settings.arch
    if has_own_weights(arch):
        return 1024  # an upper bound, without reading the model
    return int(np.max(find_arch(arch)['embed_dim']))
