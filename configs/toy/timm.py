"""A ResNet-18 of timm on the toy world's long-tailed list alone.

Command:  python tools/train.py configs/toy/timm.py
Hardware: 2 CPU cores, 2 minutes.
"""

_base_ = './rx.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='TIMMBackbone',
        model_name='resnet18',
        features_only=True,
        out_indices=(1, 2),
    ),
    head=dict(in_channels=128),
)
