"""Cross-entropy, every class drawn alike, on the toy world.

Command:  python tools/train.py configs/toy/baselines/class_balanced.py
Hardware: 2 CPU cores, 1 minute.
"""

_base_ = '../rx.py'

train_dataloader = dict(
    sampler=dict(
        _delete_=True, type='ltvl_mm.ClassBalancedSampler', epoch_size=4480
    )
)
