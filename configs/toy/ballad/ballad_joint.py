"""BALLAD without decoupling on the emoji world: towers and adapter at once.

Command:  python tools/train.py configs/toy/ballad/ballad_joint.py
Hardware: 1 CPU core, 1 minute.
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
    paramwise_cfg=dict(custom_keys={'neck': dict(lr_mult=25)})
)
