"""cRT: the classifier anew on balanced batches, on the toy world.

Command:  python tools/train.py configs/toy/baselines/crt.py
Hardware: 2 CPU cores, 1 minute.
Before:   python tools/train.py configs/toy/rx.py
"""

_base_ = '../rx.py'

stage_1 = '{{$LTVL_TOY_STAGE_1:work_dirs/rx}}'
max_epochs = 3  # after the first stage's 10

model = dict(
    type='ltvl_mm.DecoupledClassifier',
    stage_1=stage_1,
)
train_dataloader = dict(
    sampler=dict(
        _delete_=True, type='ltvl_mm.ClassBalancedSampler', epoch_size=4480
    )
)
param_scheduler = [
    dict(
        type='CosineAnnealingLR',
        end=max_epochs,
        convert_to_iter_based=True,
    )
]
train_cfg = dict(max_epochs=max_epochs, val_interval=3)
