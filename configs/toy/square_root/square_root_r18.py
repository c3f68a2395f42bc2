"""Cross-entropy, classes drawn by the root of their size; emoji world.

Command:  python tools/train.py configs/toy/square_root/square_root_r18.py
Hardware: 1 CPU core, 1 minute.
"""

_base_ = '../cross_entropy/cross_entropy_r18.py'

train_dataloader = dict(
    sampler=dict(_delete_=True, type='ltvl_mm.PowerSampler', epoch_size=3200)
)
