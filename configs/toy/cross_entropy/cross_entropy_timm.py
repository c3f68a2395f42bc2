"""A ResNet-18 of timm on the emoji world's long-tailed list alone.

Command:  python tools/train.py configs/toy/cross_entropy/cross_entropy_timm.py
Hardware: 1 CPU core, 2 minutes.
"""

_base_ = '../cross_entropy/cross_entropy_r18.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='TIMMBackbone',
        model_name='resnet18',
        features_only=True,
        out_indices=(1, 2),
    )
)
