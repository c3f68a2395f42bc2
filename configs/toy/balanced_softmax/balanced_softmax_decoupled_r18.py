r"""Balanced softmax on a frozen first stage, on the emoji world.

Command:  python tools/train.py \
              configs/toy/balanced_softmax/balanced_softmax_decoupled_r18.py
Hardware: 1 CPU core, 1 minute.
Before:   python tools/train.py configs/toy/cross_entropy/cross_entropy_r18.py
"""

_base_ = './balanced_softmax_r18.py'

max_epochs = 9  # after the first stage's 30

model = dict(
    type='ltvl_mm.DecoupledClassifier',
    stage_1='work_dirs/cross_entropy_r18',  # folder of the first stage
)
param_scheduler = [
    dict(
        type='CosineAnnealingLR',
        end=max_epochs,
        convert_to_iter_based=True,
    )
]
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
