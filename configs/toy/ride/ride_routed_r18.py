"""RIDE routed: each image asks up to three experts; emoji world.

Command:  python tools/train.py configs/toy/ride/ride_routed_r18.py
Hardware: 1 CPU core, 1 minute.
Before:   python tools/train.py configs/toy/ride/ride_r18.py
"""

_base_ = './ride_r18.py'

max_epochs = 9  # after the first stage's 30

model = dict(
    type='ltvl_mm.RoutedClassifier',
    stage_1='work_dirs/ride_r18',  # folder of the first stage
    num_logits=50,
    pos_weight=100.0,
)
train_dataloader = dict(
    sampler=dict(
        _delete_=True, type='ltvl_mm.ClassBalancedSampler', epoch_size=3200
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
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
# Without RIDE's, which re-weights in the end.
custom_hooks = [
    dict(type='ltvl_mm.EpochSeedHook'),
    dict(type='ltvl_mm.ChannelsLastHook'),
]
