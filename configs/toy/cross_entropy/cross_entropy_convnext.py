r"""A small ConvNeXt of mmpretrain on the emoji world's long-tailed list.

Command:  python tools/train.py \
              configs/toy/cross_entropy/cross_entropy_convnext.py
Hardware: 1 CPU core, 2 minutes.
"""

_base_ = './cross_entropy_deit.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='ConvNeXt',
        arch=dict(depths=[1, 1, 2, 1], channels=[32, 64, 128, 128]),
        stem_patch_size=2,
    ),
    head=dict(type='LinearClsHead', in_channels=128),
)
