"""TACKLE on the toy world, retrieved images weighing as much as their p_k.

Command:  python tools/train.py configs/toy/baselines/tackle_weighted.py
Hardware: 2 CPU cores, 1 minute.
"""

_base_ = '../tackle_rx.py'

custom_hooks = [
    *_base_.custom_hooks,
    dict(type='ltvl_mm.RetrievedWeightHook', retrieved='probability'),
]
