"""OLTR: attention, and a memory of the classes, after rx.py; on the toy world.

Command:  python tools/train.py configs/toy/baselines/oltr.py
Hardware: 2 CPU cores, 1 minute.
Before:   python tools/train.py configs/toy/rx.py
"""

_base_ = './crt.py'

model = dict(
    kept=['backbone'],
    begun={'head.hallucinator': 'head.fc'},
    neck=dict(
        _delete_=True,
        type='ltvl_mm.ModulatedAttentionNeck',
        in_channels=256,
        map_size=4,
        neck=_base_.model.neck,
    ),
    head=dict(type='ltvl_mm.MemoryClsHead'),
)
optim_wrapper = dict(
    # As its authors' rates for ImageNet-LT.
    paramwise_cfg=dict(
        custom_keys={
            'neck': dict(lr_mult=0.1),
            'head.centroids': dict(lr_mult=0.1),
        }
    )
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassMeansHook')]
