"""LWS: the length of each class's vector anew, on the emoji world.

Command:  python tools/train.py configs/toy/lws/lws_r18.py
Hardware: 1 CPU core, 1 minute.
Before:   python tools/train.py configs/toy/cross_entropy/cross_entropy_r18.py
"""

_base_ = '../cross_entropy/cross_entropy_r18.py'

max_epochs = _base_.second_stage_epochs

model = dict(
    type='ltvl_mm.DecoupledClassifier',
    stage_1='work_dirs/cross_entropy_r18',  # folder of the first stage
    kept=['backbone', 'neck', 'head.fc'],
    head=dict(type='ltvl_mm.LWSClsHead'),
)
train_dataloader = _base_.class_balanced
param_scheduler = _base_.second_stage_scheduler
train_cfg = _base_.second_stage_cfg
