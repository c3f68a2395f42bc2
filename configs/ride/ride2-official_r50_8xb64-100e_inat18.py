r"""RIDE: 2 experts of ResNet-50 on iNaturalist 2018, as its authors do.

Source:   Wang et al. 2021 (arXiv 2010.01809), settings of its code
          (config_iNaturalist_resnet50_ride.json): 100 epochs, batch 512, lr
          0.2 with a warm-up of 5 epochs and steps at 60 and 80, Nesterov
          momentum, weight decay 2e-4, DRW after epoch 80.
Differs:  without routing: all experts predict.
Command:  tools/dist_train.sh \
              configs/ride/ride2-official_r50_8xb64-100e_inat18.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_r50_8xb64-200e_inat18.py, three quarters.
Expect:   71.4 overall (Table 3 of the TACKLE paper); ours is not measured.
"""

_base_ = [
    '../_base_/models/ride.py',
    '../_base_/datasets/cnn_224.py',
    '../_base_/datasets/cnn_224_inat18.py',
    '../_base_/schedules/ride_100e.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/inat18.py',
]

loss = dict(
    type='ltvl_mm.RIDELoss', num_classes=_base_.num_classes, spread=0.015
)
model = dict(
    backbone=dict(backbone=dict(type='ResNet', depth=50), num_experts=2),
    head=dict(num_classes=_base_.num_classes, num_experts=2, loss=loss),
)
custom_hooks = [
    *_base_.custom_hooks,
    # DRW: the last fifth of the epochs, as 80 of RIDE's 100.
    dict(
        type='SwitchRecipeHook',
        schedule=[dict(action_epoch=81, loss=dict(loss, beta=0.9999))],
    ),
    dict(type='ltvl_mm.ClassCountsHook'),
]
data_preprocessor = dict(num_classes=_base_.num_classes, **_base_.inat18_norm)
train_dataloader = dict(
    sampler=dict(epoch_size=_base_.epoch_size),
    dataset=dict(pipeline=_base_.train_pipeline_inat18),
)
test_dataloader = _base_.cnn_test
