r"""Balanced softmax: logit adjustment with tau = 1, on the emoji world.

Command:  python tools/train.py \
              configs/toy/balanced_softmax/balanced_softmax_r18.py
Hardware: 1 CPU core, 1 minute.
"""

_base_ = '../cross_entropy/cross_entropy_r18.py'

loss = dict(type='ltvl_mm.LogitAdjustedLoss', num_classes=96)
model = dict(head=dict(loss=dict(_delete_=True, **loss)))
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
