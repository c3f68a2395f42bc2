r"""Balanced softmax on a frozen first stage, on the emoji world.

Command:  python tools/train.py \
              configs/toy/balanced_softmax/balanced_softmax_decoupled_r18.py
Hardware: 1 CPU core, 1 minute.
Before:   python tools/train.py configs/toy/cross_entropy/cross_entropy_r18.py
"""

_base_ = '../cross_entropy/cross_entropy_r18.py'

max_epochs = _base_.second_stage_epochs

loss = dict(type='ltvl_mm.LogitAdjustedLoss', num_classes=96)
model = dict(
    type='ltvl_mm.DecoupledClassifier',
    stage_1='work_dirs/cross_entropy_r18',  # folder of the first stage
    head=dict(loss=dict(_delete_=True, **loss)),
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
param_scheduler = _base_.second_stage_scheduler
train_cfg = _base_.second_stage_cfg
