"""Cross-entropy, from every image to every class alike; emoji world.

Command:  python tools/train.py configs/toy/progressive/progressive_r18.py
Hardware: 1 CPU core, 1 minute.
"""

_base_ = '../cross_entropy/cross_entropy_r18.py'

train_dataloader = dict(
    sampler=dict(
        _delete_=True,
        type='ltvl_mm.ProgressivelyBalancedSampler',
        epoch_size=3200,
        max_epochs=_base_.max_epochs,
    )
)
