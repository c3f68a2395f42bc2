"""LADE: balanced softmax and a density regularizer, on the emoji world.

Command:  python tools/train.py configs/toy/lade/lade_r18.py
Hardware: 1 CPU core, 1 minute.
"""

_base_ = '../cross_entropy/cross_entropy_r18.py'

model = dict(
    head=dict(
        loss=dict(_delete_=True, type='ltvl_mm.LADELoss', num_classes=96)
    )
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
