"""OLTR: attention, and a memory of the classes, in a second stage.

Command:  python tools/train.py configs/toy/oltr/oltr_r18.py
Hardware: 1 CPU core, 1 minute.
Before:   python tools/train.py configs/toy/cross_entropy/cross_entropy_r18.py
"""

_base_ = '../crt/crt_r18.py'

model = dict(
    kept=['backbone'],
    begun={'head.hallucinator': 'head.fc'},
    neck=dict(
        _delete_=True,
        type='ltvl_mm.ModulatedAttentionNeck',
        in_channels=128,
        map_size=2,
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
