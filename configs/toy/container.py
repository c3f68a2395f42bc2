"""A small CONTAINER on the toy world's long-tailed list alone.

Command:  python tools/train.py configs/toy/container.py
Hardware: 2 CPU cores, 2 minutes.
"""

_base_ = './deit.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='ltvl_mm.CONTAINER',
        arch=dict(
            dims=(32, 64, 128),
            depths=(1, 1, 2),
            mlp_ratios=(4, 4, 4),
            patch_sizes=(2, 2, 2),
            num_heads=4,
        ),
        drop_path_rate=0.05,
    ),
    neck=dict(_delete_=True, type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', in_channels=128),
)
