"""RIDE routed: each image asks up to three experts; emoji world.

Command:  python tools/train.py configs/toy/ride/ride_routed_r18.py
Hardware: 1 CPU core, 1 minute.
Before:   python tools/train.py configs/toy/ride/ride_r18.py
"""

_base_ = './ride_r18.py'

max_epochs = _base_.second_stage_epochs

model = dict(
    type='ltvl_mm.RoutedClassifier',
    stage_1='work_dirs/ride_r18',  # folder of the first stage
    num_logits=50,
    pos_weight=100.0,
)
train_dataloader = _base_.class_balanced
test_evaluator = [
    _base_.test_evaluator,
    dict(
        type='ltvl_mm.RoutingCost',
        num_classes=_base_.num_classes,
        class_counts=_base_.test_evaluator.class_counts,
    ),
]
optim_wrapper = dict(optimizer=dict(lr=0.01))
param_scheduler = _base_.second_stage_scheduler
train_cfg = _base_.second_stage_cfg
# Without RIDE's, which re-weights in the end.
custom_hooks = [
    dict(type='ltvl_mm.EpochSeedHook'),
    dict(type='ltvl_mm.ChannelsLastHook'),
]
