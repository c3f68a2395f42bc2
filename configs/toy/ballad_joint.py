"""BALLAD without decoupling on the toy world: towers and adapter at once.

Command:  python tools/train.py configs/toy/ballad_joint.py
Hardware: 2 CPU cores, 1 minute.
Before:   python tools/train.py configs/toy/clip.py
"""

_base_ = './ballad_a.py'

model = dict(
    neck=dict(
        type='ltvl_mm.BalancedLinearAdapter',
        arch=_base_.arch,
        ratio=0.2,
        activation=None,
        bias=False,
    )
)
# The adapter learns at the rate of phase B.
optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys={'neck': dict(lr_mult=2000)})
)
