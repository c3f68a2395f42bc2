"""RIDE: 2 experts of ResNet-50 on iNaturalist 2018.

Source:   Wang et al. 2021 (arXiv 2010.01809) and its code
          (config_iNaturalist_resnet50_ride.json), 2 experts, without
          distillation and without routing: all experts predict.
Differs:  schedule of r50_inat.py: 200 epochs, lr 0.2 on a cosine, weight decay
          1e-4 instead of 2e-4; DRW in the last fifth. Theirs:
          ride2_r50_inat_official.py.
Command:  tools/dist_train.sh configs/baselines/ride2_r50_inat.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as r50_inat.py,
          and half as many again.
Expect:   71.4 overall (Table 3 of the TACKLE paper).
"""

_base_ = '../r50_inat.py'

loss = dict(
    type='ltvl_mm.RIDELoss',
    num_classes=_base_.num_classes,
    spread=0.015,
)
model = dict(
    backbone=dict(
        _delete_=True,
        type='ltvl_mm.ExpertResNet',
        backbone=_base_.model.backbone,
        num_experts=2,
    ),
    head=dict(
        _delete_=True,
        type='ltvl_mm.ExpertClsHead',
        num_classes=_base_.num_classes,
        in_channels=1536,
        num_experts=2,
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
