"""LT-Soups on the emoji world, stage 1: one run of the soup.

Command:  python tools/train.py configs/toy/lt_soups/lt_soups_vit_1.py
Hardware: 1 CPU core, 1 minute.
"""

_base_ = [
    '../../_base_/datasets/emoji_world.py',
    '../../_base_/default_runtime.py',
]

arch = 'ltvl-toy-vit'
pretrained = 'ltvl-toy-vit'  # its weights come with the package
max_epochs = 10

model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ltvl_mm.CLIPBackbone',
        arch=arch,
        pretrained=pretrained,
        projection=False,
    ),
    head=dict(
        type='ltvl_mm.TextInitClsHead',
        arch=arch,
        pretrained=pretrained,
        class_names=_base_.data_root + '/class_names.txt',
        projection=False,
        scale=25.0,
        loss=dict(
            type='ltvl_mm.LogitAdjustedLoss', num_classes=_base_.num_classes
        ),
    ),
)
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='ltvl_mm.ClassCountsHook'),
    dict(type='EMAHook', momentum=0.01),  # decay 0.99
]
train_dataloader = dict(
    # At least 100 steps in all; with retrieved images as many as without.
    sampler=dict(
        _delete_=True,
        type='ltvl_mm.FixedEpochSampler',
        min_epoch_size=640,
        of_target=True,
    ),
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.ImbalanceSubset',
        imbalance=1,
        seed=0,
        dataset=dict(
            _base_.train_dataloader.dataset,
            pipeline=_base_.train_pipeline_clip,
        ),
    ),
)
# The rate is ours: this CLIP is small.
optim_wrapper = dict(
    constructor='ltvl_mm.TrainableOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=1e-2),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, by_epoch=False, end=20),
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs,
        eta_min_ratio=0.1,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=max_epochs)
val_cfg = dict()
test_cfg = dict()
