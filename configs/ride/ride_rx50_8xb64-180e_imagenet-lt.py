r"""RIDE: 3 experts of ResNeXt-50 on ImageNet-LT.

Source:   Wang et al. 2021 (arXiv 2010.01809) and its code
          (config_imagenet_lt_resnext50_ride.json), 3 experts, without
          distillation and without routing: all experts predict.
Differs:  schedule of cross_entropy_rx50_8xb64-180e_imagenet-lt.py: 180 epochs,
          batch 512, lr 0.2 on a cosine, weight decay 5e-4 instead of 2e-4; DRW
          in the last fifth; the checkpoint is chosen on val.
Command:  tools/dist_train.sh \
              configs/ride/ride_rx50_8xb64-180e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_rx50_8xb64-180e_imagenet-lt.py, and half as many again.
Expect:   55.7 overall with routing (model zoo of its authors); the 56.8 of
          Table 1 of the TACKLE paper is
          ride4-from6_rx50_8xb64-180e_imagenet-lt.py.
"""

_base_ = [
    '../_base_/models/ride.py',
    '../_base_/datasets/cnn_224.py',
    '../_base_/schedules/sgd_180e.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/imagenet_lt.py',
]

loss = dict(type='ltvl_mm.RIDELoss', num_classes=_base_.num_classes)
model = dict(
    backbone=dict(
        backbone=dict(type='ResNeXt', depth=50, groups=32, width_per_group=4),
        num_experts=3,
    ),
    head=dict(num_classes=_base_.num_classes, num_experts=3, loss=loss),
)
custom_hooks = [
    *_base_.custom_hooks,
    # DRW: the last fifth of the epochs, as 80 of RIDE's 100.
    dict(
        type='SwitchRecipeHook',
        schedule=[dict(action_epoch=145, loss=dict(loss, beta=0.9999))],
    ),
    dict(type='ltvl_mm.ClassCountsHook'),
]
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))
data_preprocessor = dict(
    num_classes=_base_.num_classes, **_base_.imagenet_norm
)
train_dataloader = dict(
    drop_last=False,
    sampler=dict(epoch_size=_base_.epoch_size),
    dataset=dict(pipeline=_base_.train_pipeline_cnn),
)
val_dataloader = test_dataloader = _base_.cnn_test
