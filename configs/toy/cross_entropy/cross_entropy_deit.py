"""A small DeiT on the emoji world's long-tailed list alone.

Command:  python tools/train.py configs/toy/cross_entropy/cross_entropy_deit.py
Hardware: 1 CPU core, 2 minutes.
"""

_base_ = [
    '../../_base_/datasets/emoji_world.py',
    '../../_base_/schedules/emoji_sgd_30e.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='VisionTransformer',
        arch=dict(
            embed_dims=128,
            num_layers=4,
            num_heads=4,
            feedforward_channels=512,
        ),
        img_size=32,
        patch_size=8,
    ),
    head=dict(
        type='VisionTransformerClsHead',
        num_classes=96,
        in_channels=128,
        loss=dict(
            type='LabelSmoothLoss', label_smooth_val=0.1, mode='original'
        ),
    ),
)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.05),
    clip_grad=dict(max_norm=1.0),
)
