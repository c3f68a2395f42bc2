"""RIDE: 3 experts of ResNeXt-50 on ImageNet-LT.

Source:   Wang et al. 2021 (arXiv 2010.01809) and its code
          (config_imagenet_lt_resnext50_ride.json), 3 experts, without
          distillation and without routing: all experts predict.
Differs:  schedule of rx50.py: 180 epochs, batch 512, lr 0.2 on a cosine,
          weight decay 5e-4 instead of 2e-4; DRW in the last fifth; the
          checkpoint is chosen on val.
Command:  tools/dist_train.sh configs/baselines/ride_rx50.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as rx50.py,
          and half as many again.
Expect:   55.7 overall with routing (model zoo of its authors); the 56.8 of
          Table 1 of the TACKLE paper is ride4_from6_rx50.py.
"""

_base_ = '../rx50.py'

loss = dict(
    type='ltvl_mm.RIDELoss',
    num_classes=_base_.num_classes,
)
model = dict(
    backbone=dict(
        _delete_=True,
        type='ltvl_mm.ExpertResNet',
        backbone=_base_.model.backbone,
        num_experts=3,
    ),
    head=dict(
        _delete_=True,
        type='ltvl_mm.ExpertClsHead',
        num_classes=_base_.num_classes,
        in_channels=1536,
        num_experts=3,
        loss=loss,
    ),
)
custom_hooks = [
    *_base_.custom_hooks,
    # DRW: the last fifth of the epochs, as 80 of RIDE's 100.
    dict(
        type='SwitchRecipeHook',
        schedule=[
            dict(
                action_epoch=_base_.max_epochs * 4 // 5 + 1,
                loss=dict(**loss, beta=0.9999),
            )
        ],
    ),
    dict(type='ltvl_mm.ClassCountsHook'),
]
