"""LIFT+ in CLIP ViT-B/16: model, transforms and schedule.

Source: Shi et al. 2025 (arXiv 2504.13282) and its code, defaults of
utils/config.py and configs/method/lift+.yaml. Minimalist augmentation: one
crop, whose minimum size grows, and no flip.
"""

_base_ = [
    '../datasets/clip.py',
    '../datasets/five_crops.py',
    '../default_runtime.py',
]

max_epochs = 5

# Of the data loaders.
lift_plus_train = dict(
    batch_size=128,
    dataset=dict(
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(
                type='ltvl_mm.MinimalistCrop',
                scale=224,
                schedule='convex',
                interpolation='bicubic',
                backend='pillow',
            ),
            dict(type='PackInputs'),
        ]
    ),
)
lift_plus_test = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(
                type='ResizeEdge',
                scale=256,  # 224 + 224 // 7
                edge='short',
                interpolation='bicubic',
                backend='pillow',
            ),
            dict(type='CenterCrop', crop_size=224),
            dict(type='PackInputs'),
        ]
    )
)
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ltvl_mm.AdaptedBackbone',
        backbone=dict(
            type='ltvl_mm.CLIPBackbone',
            arch='ViT-B-16-quickgelu',
            pretrained='openai',
            projection=False,
        ),
        targets=r'visual\.transformer\.resblocks\.\d+\.mlp',
        norm='ln_2',
        scale=1.0,
    ),
    # Semantic-aware initialization: classes start as texts.
    head=dict(
        type='ltvl_mm.TextInitClsHead',
        arch='ViT-B-16-quickgelu',
        pretrained='openai',
        projection=False,
        scale=25.0,
        loss=dict(type='ltvl_mm.LogitAdjustedLoss'),
    ),
)
optim_wrapper = dict(
    constructor='ltvl_mm.TrainableOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.02, momentum=0.9, weight_decay=5e-4),
)
auto_scale_lr = dict(base_batch_size=128)
# The rate falls after each epoch.
param_scheduler = [dict(type='CosineAnnealingLR', T_max=max_epochs)]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=max_epochs)
lift_plus_hooks = [
    dict(type='ltvl_mm.ClassCountsHook'),
    dict(type='ltvl_mm.TransformEpochHook'),
]
