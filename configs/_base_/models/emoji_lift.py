"""LIFT on the emoji world: adapters, classes that start as texts, schedule."""

max_epochs = 5

model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ltvl_mm.AdaptedBackbone',
        backbone=dict(type='ltvl_mm.CLIPBackbone'),
        dim=16,
    ),
    head=dict(
        type='ltvl_mm.TextInitClsHead',
        class_names='data/emoji/class_names.txt',
        loss=dict(type='ltvl_mm.LogitAdjustedLoss', num_classes=96),
    ),
)

# Rate and epochs are ours, for the toy CLIP.
optim_wrapper = dict(
    type='ltvl_mm.BFloat16OptimWrapper',
    constructor='ltvl_mm.TrainableOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.02, momentum=0.9, weight_decay=5e-4),
)
param_scheduler = [
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, convert_to_iter_based=True
    )
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=max_epochs)
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
