"""Cross-entropy, classes drawn by the root of their size, on the toy world.

Command:  python tools/train.py configs/toy/baselines/square_root.py
Hardware: 2 CPU cores, 1 minute.
"""

_base_ = '../rx.py'

train_dataloader = dict(
    sampler=dict(_delete_=True, type='ltvl_mm.PowerSampler', epoch_size=4480)
)
