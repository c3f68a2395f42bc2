"""LIFT on the toy world: adapters in its CLIP, classes that start as texts.

Command:  python tools/train.py configs/toy/baselines/lift.py
Hardware: 2 CPU cores, 1 minute.
Before:   python tools/train.py configs/toy/clip.py
Crops:    add --tta to tools/test.py
"""

_base_ = ['../../_base_/datasets/toy_world.py', '../../_base_/toy_runtime.py']

arch = 'ltvl-toy'
pretrained = '{{$LTVL_TOY_CLIP:work_dirs/clip/epoch_5.pth}}'
max_epochs = 5

model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ltvl_mm.AdaptedBackbone',
        backbone=dict(
            type='ltvl_mm.CLIPBackbone', arch=arch, pretrained=pretrained
        ),
        # The toy CLIP has a ResNet; a ViT's are ...resblocks.N.mlp.
        targets=r'visual\.layer\d\.\d\.conv3',
        dim=16,
    ),
    head=dict(
        type='ltvl_mm.TextInitClsHead',
        arch=arch,
        pretrained=pretrained,
        class_names=_base_.data_root + '/class_names.txt',
        loss=dict(type='ltvl_mm.LogitAdjustedLoss', num_classes=96),
    ),
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]

# Rate and epochs are ours, for the toy world.
optim_wrapper = dict(
    constructor='ltvl_mm.TrainableOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.02, momentum=0.9, weight_decay=5e-4),
)
param_scheduler = [
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, convert_to_iter_based=True
    )
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=5)
val_cfg = dict()
test_cfg = dict()

tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='ResizeEdge', scale=36, edge='short'),
    dict(
        type='TestTimeAug',
        transforms=[
            [
                dict(type='ltvl_mm.FixedCrop', crop_size=32, x=x, y=y)
                for x, y in ((0, 0), (0, 1), (1, 0), (1, 1), (0.5, 0.5))
            ],
            [dict(type='PackInputs')],
        ],
    ),
]
tta_model = dict(type='ltvl_mm.AverageLogitTTA')
