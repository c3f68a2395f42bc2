"""cRT: the classifier anew on balanced batches, on the emoji world.

Command:  python tools/train.py configs/toy/crt/crt_r18.py
Hardware: 1 CPU core, 1 minute.
Before:   python tools/train.py configs/toy/cross_entropy/cross_entropy_r18.py
"""

_base_ = [
    '../../_base_/datasets/emoji_world.py',
    '../../_base_/models/emoji_r18.py',
    '../../_base_/schedules/emoji_sgd_30e.py',
    '../../_base_/default_runtime.py',
]

max_epochs = _base_.second_stage_epochs

model = dict(
    type='ltvl_mm.DecoupledClassifier',
    stage_1='work_dirs/cross_entropy_r18',  # folder of the first stage
)
train_dataloader = _base_.class_balanced
param_scheduler = _base_.second_stage_scheduler
train_cfg = _base_.second_stage_cfg
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='ltvl_mm.ChannelsLastHook'),
]
