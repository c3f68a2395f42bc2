"""LDAM-DRW: margins for rare classes, weights late; emoji world.

Command:  python tools/train.py configs/toy/ldam_drw/ldam_drw_r18.py
Hardware: 1 CPU core, 1 minute.
"""

_base_ = '../cross_entropy/cross_entropy_r18.py'

loss = dict(type='ltvl_mm.LDAMLoss', num_classes=96)
model = dict(
    head=dict(
        _delete_=True,
        type='ltvl_mm.CosineClsHead',
        num_classes=96,
        in_channels=128,
        loss=loss,
    )
)
custom_hooks = [
    *_base_.custom_hooks,
    # DRW begins when a fifth of the epochs is left (Cao et al. 2019).
    dict(
        type='SwitchRecipeHook',
        schedule=[dict(action_epoch=25, loss=dict(**loss, beta=0.9999))],
    ),
    dict(type='ltvl_mm.ClassCountsHook'),
]
# Its head has a scale of 30, as that of ride_r18.py.
optim_wrapper = dict(optimizer=dict(lr=0.1))
