"""RIDE routed: each image asks up to three experts, on the toy world.

Command:  python tools/train.py configs/toy/baselines/ride_routed.py
Hardware: 2 CPU cores, 1 minute.
Before:   python tools/train.py configs/toy/baselines/ride.py
"""

_base_ = './ride.py'

stage_1 = '{{$LTVL_TOY_RIDE:work_dirs/ride}}'
max_epochs = 3  # after the first stage's 10

model = dict(
    type='ltvl_mm.RoutedClassifier',
    stage_1=stage_1,
    num_logits=50,
    pos_weight=100.0,
)
train_dataloader = dict(
    sampler=dict(
        _delete_=True, type='ltvl_mm.ClassBalancedSampler', epoch_size=4480
    )
)
test_evaluator = [
    _base_.test_evaluator,
    dict(
        type='ltvl_mm.RoutingCost',
        num_classes=_base_.num_classes,
        class_counts=_base_.test_evaluator.class_counts,
    ),
]
optim_wrapper = dict(optimizer=dict(lr=0.01))
param_scheduler = [
    dict(
        type='CosineAnnealingLR',
        end=max_epochs,
        convert_to_iter_based=True,
    )
]
train_cfg = dict(max_epochs=max_epochs, val_interval=3)
# Without RIDE's, which re-weights in the end.
custom_hooks = [
    dict(type='ltvl_mm.EpochSeedHook'),
    dict(type='ltvl_mm.ProgressBarHook'),
]
