"""Config of a training on retrieved images, for tests of recipes."""

from mmengine.config import Config

MIXUP = dict(augments=[dict(type='Mixup', alpha=0.8)])


def make_config(manifest='manifest.parquet', head=None, **more):
    cfg = Config(
        dict(
            model=dict(
                type='ImageClassifier', head=head or use('CrossEntropyLoss')
            ),
            train_dataloader=dict(
                batch_size=2,
                sampler=dict(type='DefaultSampler', shuffle=True),
                dataset=dict(
                    type='RepeatDataset',
                    times=2,
                    dataset=dict(
                        type='ltvl_mm.TACKLEDataset',
                        manifest=str(manifest),
                        dataset=dict(type='CustomDataset', pipeline=[]),
                    ),
                ),
            ),
            train_cfg=dict(by_epoch=True, max_epochs=10),
            param_scheduler=dict(type='CosineAnnealingLR', T_max=10),
            custom_hooks=[dict(type='ltvl_mm.ClassCountsHook')],
        )
    )
    cfg.merge_from_dict(more)
    return cfg


def use(kind, **more):
    return dict(type='LinearClsHead', loss=dict(type=kind, **more))
