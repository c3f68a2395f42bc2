"""Ordinary configs of a run: students, zero-shot CLIP and BALLAD."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmengine.config import Config

from ltvl_mm.apis.clip_inputs import list_transforms
from ltvl_mm.apis.tackle_run.schedule import Schedule
from ltvl_mm.apis.tackle_run.student_config import Student
from ltvl_mm.utils.io import write_if_new

if TYPE_CHECKING:
    from ltvl_mm.clip.preprocessing import PreprocessCfg

_WORKERS = 2
_LOAD = dict(type='ltvl_mm.LoadImage')  # as embedding decodes


@dataclass(frozen=True)
class ConfigData:
    """Paths and numbers that all configs of a run share.

    Args:
        root: Folder of the photos.
        lists: Folder of ``train.txt``, ``val.txt``, ``test.txt`` and
            ``class_names.txt``.
        num_classes: K.
        seed: Seed of the trainings.
        gpus: GPUs that share a batch.
        test_batch_size: Images of a test batch.
    """

    root: Path
    lists: Path
    num_classes: int
    seed: int
    gpus: int = 1
    test_batch_size: int = 64

    def loader(self, split: str, pipeline: list[dict]) -> dict:
        """Return a data loader without sampler for a split."""
        return dict(
            batch_size=self.test_batch_size,
            num_workers=_WORKERS,
            persistent_workers=False,
            dataset=dict(
                type='CustomDataset',
                data_prefix=str(self.root),
                ann_file=str(self.lists / f'{split}.txt'),
                classes=str(self.lists / 'class_names.txt'),
                pipeline=pipeline,
            ),
        )

    def tests(self, pipeline: list[dict]) -> dict:
        """Return loaders, metrics and loops of val and test."""
        sampler = dict(type='DefaultSampler', shuffle=False)
        metric = dict(
            type='ltvl_mm.ShotAccuracy',
            class_counts=str(self.lists / 'train.txt'),
            num_classes=self.num_classes,
        )
        return dict(
            val_dataloader=self.loader('val', pipeline)
            | dict(sampler=sampler),
            test_dataloader=self.loader('test', pipeline)
            | dict(sampler=sampler),
            val_evaluator=metric,
            test_evaluator=metric | dict(per_class=True),
            val_cfg=dict(),
            test_cfg=dict(),
        )

    def runtime(self, save_interval: int = 1) -> dict:
        """Return what is neither data nor model."""
        return dict(
            default_scope='mmpretrain',
            default_hooks=dict(
                logger=dict(type='LoggerHook', interval=50),
                checkpoint=dict(
                    type='CheckpointHook',
                    interval=save_interval,
                    max_keep_ckpts=1,
                    save_best='shot/all',
                    rule='greater',
                ),
            ),
            custom_hooks=[
                dict(type='ltvl_mm.EpochSeedHook'),
                dict(type='ltvl_mm.ProgressBarHook'),
            ],
            env_cfg=dict(
                cudnn_benchmark=False,
                mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
                dist_cfg=dict(backend='nccl'),
            ),
            vis_backends=[dict(type='LocalVisBackend')],
            visualizer=dict(
                type='UniversalVisualizer',
                vis_backends=[dict(type='LocalVisBackend')],
            ),
            log_level='INFO',
            load_from=None,
            resume=False,
            randomness=dict(seed=self.seed),
        )


def make_student_config(
    data: ConfigData, student: Student, schedule: Schedule, image_size: int
) -> dict:
    """Return the config of the student on the photos alone.

    Args:
        data: The photos.
        student: The model and its optimizer.
        schedule: Iterations and batch size of the training.
        image_size: Side of the images in pixels.
    """
    train_pipeline = [
        _LOAD,
        dict(
            type='RandomResizedCrop',
            scale=image_size,
            crop_ratio_range=(0.35, 1.0),
        ),
        dict(type='RandomFlip', prob=0.5, direction='horizontal'),
        dict(type='PackInputs'),
    ]
    test_pipeline: list[dict] = [
        _LOAD,
        # As 256 to 224: the border is left out.
        dict(type='ResizeEdge', scale=round(image_size * 8 / 7), edge='short'),
        dict(type='CenterCrop', crop_size=image_size),
        dict(type='PackInputs'),
    ]
    return dict(
        data_preprocessor=student.data_preprocessor,
        model=student.model,
        **_train(data, schedule, train_pipeline),
        **data.tests(test_pipeline),
        optim_wrapper=student.optim_wrapper,
        param_scheduler=_list_schedulers(schedule),
        train_cfg=dict(
            by_epoch=True,
            max_epochs=schedule.epochs,
            val_interval=schedule.val_interval,
        ),
        **data.runtime(max(1, schedule.epochs // 20)),
    )


def make_clip_config(
    data: ConfigData,
    arch: str,
    pretrained: str | None,
    templates: str,
    preprocessing: 'PreprocessCfg',
    preprocess: str | None = None,
) -> dict:
    """Return the config of CLIP without training.

    Args:
        data: The photos.
        arch: Architecture, as :func:`ltvl_mm.clip.towers.build_clip` takes
            it.
        pretrained: Weights, as :func:`ltvl_mm.clip.towers.build_clip` takes
            them.
        templates: Name of a set of prompts, or their file.
        preprocessing: Result of
            :func:`ltvl_mm.clip.preprocessing.find_preprocessing`.
        preprocess: Override that ``preprocessing`` was found with; None for
            none.
    """
    names = str(data.lists / 'class_names.txt')
    clip = dict(arch=arch, pretrained=pretrained)
    pipeline: list[dict] = [
        _LOAD,
        *list_transforms(preprocessing),
        dict(type='PackInputs'),
    ]
    return dict(
        data_preprocessor=dict(
            num_classes=data.num_classes,
            mean=[round(255 * value, 4) for value in preprocessing.mean],
            std=[round(255 * value, 4) for value in preprocessing.std],
            to_rgb=True,
        ),
        model=dict(
            type='ImageClassifier',
            backbone=dict(type='ltvl_mm.CLIPBackbone', **clip)
            | ({} if preprocess is None else dict(preprocess=preprocess)),
            head=dict(
                type='ltvl_mm.CLIPContrastiveHead',
                **clip,
                class_names=names,
                templates=templates,
                logit_scale='frozen',
            ),
        ),
        train_dataloader=None,
        **data.tests(pipeline),
        **data.runtime(),
    )


def write_config(path: Path, title: str, values: Mapping) -> bool:
    """Write a config; return whether it is new or changed.

    Args:
        path: The ``.py`` file.
        title: First line of its docstring, and what else it holds.
        values: Plain values.
    """
    body = Config(dict(values)).pretty_text
    return write_if_new(path, f'"""{title}\n"""\n\n{body}')


def write_tackle_config(path: Path, title: str, manifest: Path) -> bool:
    """Write the config that adds retrieved images to ``student.py``."""
    return write_if_new(
        path,
        f'''"""{title}
"""

_base_ = './student.py'

manifest = {str(manifest)!r}

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest=manifest,
        dataset=_base_.train_dataloader.dataset,
    )
)
''',
    )


def _train(data: ConfigData, schedule: Schedule, pipeline: list) -> dict:
    loader = data.loader('train', pipeline)
    loader.update(
        batch_size=schedule.batch_size // data.gpus,
        # Equal iterations, however many images are retrieved.
        sampler=dict(
            type='ltvl_mm.FixedEpochSampler', epoch_size=schedule.epoch_size
        ),
        worker_init_fn=dict(type='ltvl_mm.seed_worker'),
    )
    return dict(train_dataloader=loader)


def _list_schedulers(schedule: Schedule) -> list[dict]:
    warmup = schedule.warmup
    cosine = dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=warmup,
        T_max=schedule.iterations - warmup,
        end=schedule.iterations,
    )
    if not warmup:
        return [cosine]
    rise = dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=warmup)
    return [rise, cosine]
