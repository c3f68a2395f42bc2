r"""Balanced softmax on a frozen first stage, on the toy world.

Command:  python tools/train.py \
              configs/toy/baselines/balanced_softmax_decoupled.py
Hardware: 2 CPU cores, 1 minute.
Before:   python tools/train.py configs/toy/rx.py
"""

_base_ = './balanced_softmax.py'

stage_1 = '{{$LTVL_TOY_STAGE_1:work_dirs/rx}}'
max_epochs = 3  # after the first stage's 10

model = dict(type='ltvl_mm.DecoupledClassifier', stage_1=stage_1)
param_scheduler = [
    dict(
        type='CosineAnnealingLR',
        end=max_epochs,
        convert_to_iter_based=True,
    )
]
train_cfg = dict(max_epochs=max_epochs, val_interval=3)
