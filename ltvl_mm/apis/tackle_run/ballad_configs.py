"""BALLAD on a person's photos: phases A and B."""

from pathlib import Path

from ltvl_mm.apis.tackle_run.config_files import ConfigData
from ltvl_mm.apis.tackle_run.schedule import Schedule
from ltvl_mm.clip.towers import find_width

# Both phases start from a trained CLIP and need fewer epochs than a student:
# the authors' code has 50 and 10 where students have 90 to 200.
_SHARE_OF_EPOCHS = 4
# Learning rates of the authors' code for 512 images of an iteration.
_RATE_A, _RATE_B, _BASE_BATCH = 1e-5, 0.2, 512


def count_epochs(schedule: Schedule) -> int:
    """Return the epochs of a phase."""
    return max(1, schedule.epochs // _SHARE_OF_EPOCHS)


def make_ballad_configs(
    data: ConfigData,
    zero_shot: dict,
    schedule: Schedule,
    phase_a: Path,
    preprocess: str | None = None,
) -> dict[str, dict]:
    """Return ``'ballad_a'`` and ``'ballad_b'`` -> config.

    Source: BALLAD, arXiv 2111.14745, as its authors' code trains it, see
    ``configs/_base_/models/ballad_official_a.py``. Ours: CLIP's own logit
    scale, and learning rates for our batch size. That of SGD in phase A goes
    with the square root, since the linear rule would hardly move CLIP.

    Args:
        data: The photos.
        zero_shot: Config of CLIP without training, of
            :func:`.config_files.make_clip_config`.
        schedule: Schedule of the student.
        phase_a: Folder of the training of phase A.
        preprocess: Tag or override that names the preprocessing of CLIP's
            weights, which a folder does not; None for the architecture's.
    """
    epochs, batch = count_epochs(schedule), schedule.batch_size
    test = zero_shot['test_dataloader']['dataset']['pipeline']
    size = _find_size(test)
    load, *_, pack = test
    pipeline = [
        load,
        dict(
            type='RandomResizedCrop',
            scale=size,
            crop_ratio_range=(0.5, 1.0),
            interpolation='bicubic',
            backend='pillow',
        ),
        dict(type='RandomFlip', prob=0.5, direction='horizontal'),
        pack,
    ]
    loader = data.loader('train', pipeline) | dict(
        batch_size=batch // data.gpus,
        worker_init_fn=dict(type='ltvl_mm.seed_worker'),
    )
    shared = zero_shot | dict(
        param_scheduler=[
            dict(
                type='CosineAnnealingLR',
                T_max=epochs,
                convert_to_iter_based=True,
            )
        ],
        train_cfg=dict(
            by_epoch=True,
            max_epochs=epochs,
            val_interval=max(1, epochs // 5),
        ),
    )
    backbone, head = zero_shot['model']['backbone'], zero_shot['model']['head']
    a = shared | dict(
        model=dict(
            type='ImageClassifier',
            backbone=backbone | dict(freeze_bn=True),
            head=head | dict(loss='class_ce'),
        ),
        train_dataloader=loader
        | dict(
            sampler=dict(
                type='ltvl_mm.FixedEpochSampler',
                epoch_size=schedule.epoch_size,
            )
        ),
        optim_wrapper=_optimize(_RATE_A * (batch / _BASE_BATCH) ** 0.5),
    )
    trained = dict(pretrained=str(phase_a))
    known = {} if preprocess is None else dict(preprocess=preprocess)
    b = shared | dict(
        model=dict(
            type='ImageClassifier',
            backbone=backbone
            | trained
            | known
            | dict(frozen=True, freeze_bn=True),
            neck=dict(
                type='ltvl_mm.BalancedLinearAdapter',
                dim=find_width(backbone['arch']),
                ratio=0.2,
                activation=None,
                bias=False,
                normalize=None,
                init='default',
            ),
            head=head | trained | dict(loss='class_ce', frozen=True),
        ),
        train_dataloader=loader
        | dict(
            sampler=dict(
                type='ltvl_mm.ClassBalancedSampler',
                samples_per_class=4,
                epoch_size=schedule.epoch_size,
            )
        ),
        optim_wrapper=_optimize(_RATE_B * batch / _BASE_BATCH),
    )
    return {'ballad_a': a, 'ballad_b': b}


def _optimize(rate: float) -> dict:
    return dict(
        constructor='ltvl_mm.TrainableOptimWrapperConstructor',
        optimizer=dict(
            type='SGD',
            lr=float(f'{rate:.3g}'),
            momentum=0.9,
            weight_decay=5e-4,
        ),
    )


def _find_size(pipeline: list[dict]) -> int:
    for step in reversed(pipeline):
        if 'crop_size' in step:
            return step['crop_size']
        if step['type'] == 'Resize':
            return step['scale'][0]
    raise ValueError(f'no size in the test pipeline {pipeline}')
