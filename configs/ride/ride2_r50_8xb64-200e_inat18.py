r"""RIDE: 2 experts of ResNet-50 on iNaturalist 2018.

Source:   Wang et al. 2021 (arXiv 2010.01809) and its code
          (config_iNaturalist_resnet50_ride.json), 2 experts, without
          distillation and without routing: all experts predict.
Differs:  schedule of cross_entropy_r50_8xb64-200e_inat18.py: 200 epochs, lr
          0.2 on a cosine, weight decay 1e-4 instead of 2e-4; DRW in the last
          fifth. Theirs: ride2-official_r50_8xb64-100e_inat18.py.
Command:  tools/dist_train.sh \
              configs/ride/ride2_r50_8xb64-200e_inat18.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_r50_8xb64-200e_inat18.py, and half as many again.
Expect:   71.4 overall (Table 3 of the TACKLE paper).
"""

_base_ = [
    '../_base_/models/ride.py',
    '../_base_/datasets/cnn_224.py',
    '../_base_/datasets/cnn_224_inat18.py',
    '../_base_/schedules/sgd_200e.py',
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
        schedule=[dict(action_epoch=161, loss=dict(loss, beta=0.9999))],
    ),
    dict(type='ltvl_mm.ClassCountsHook'),
]
data_preprocessor = dict(num_classes=_base_.num_classes, **_base_.inat18_norm)
train_dataloader = dict(
    sampler=dict(epoch_size=_base_.epoch_size),
    dataset=dict(pipeline=_base_.train_pipeline_inat18),
)
test_dataloader = _base_.cnn_test
