"""Cross-entropy, from every image to every class alike, on the toy world.

Command:  python tools/train.py configs/toy/baselines/progressive.py
Hardware: 2 CPU cores, 1 minute.
"""

_base_ = '../rx.py'

train_dataloader = dict(
    sampler=dict(
        _delete_=True,
        type='ltvl_mm.ProgressivelyBalancedSampler',
        epoch_size=4480,
        max_epochs=_base_.max_epochs,
    )
)
