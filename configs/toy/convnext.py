"""A small ConvNeXt of mmpretrain on the toy world's long-tailed list alone.

Command:  python tools/train.py configs/toy/convnext.py
Hardware: 2 CPU cores, 2 minutes.
"""

_base_ = './deit.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='ConvNeXt',
        arch=dict(depths=[1, 1, 2, 1], channels=[32, 64, 128, 128]),
        stem_patch_size=2,
    ),
    head=dict(type='LinearClsHead', in_channels=128),
)
