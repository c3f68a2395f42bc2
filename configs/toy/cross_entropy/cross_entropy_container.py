r"""A small CONTAINER on the emoji world's long-tailed list alone.

Command:  python tools/train.py \
              configs/toy/cross_entropy/cross_entropy_container.py
Hardware: 1 CPU core, 2 minutes.
"""

_base_ = './cross_entropy_deit.py'

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
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', in_channels=128),
)
