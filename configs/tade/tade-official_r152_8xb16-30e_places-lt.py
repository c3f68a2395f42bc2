r"""TADE: 3 experts of ResNet-152 on Places-LT, as its authors train it.

Source:   Zhang et al. 2021 (arXiv 2107.09249), settings of its code
          (config_places_lt_resnet152_tade.json): 30 epochs, batch 128, lr 0.01
          (backbone 0.001) with steps at 10 and 20, Nesterov momentum, weight
          decay 4e-4, tau 1, experts of full width that begin as the pretrained
          stages. The mean of the experts predicts. For weights learned on test
          images (aggregate_experts.py), test_training_places.py: rate 0.01,
          weight decay 4e-4, views of MoCo v2, 5 passes. Not in the TACKLE
          paper.
Differs:  torchvision's ImageNet weights, theirs are Caffe's; the checkpoint is
          chosen on val, theirs is the last one. Images are resized by OpenCV
          instead of Pillow.
Command:  tools/dist_train.sh \
              configs/tade/tade-official_r152_8xb16-30e_places-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_r152_8xb64-30e_places-lt.py, three times.
Expect:   40.9 overall (its authors); ours is not measured.
"""

_base_ = [
    '../_base_/datasets/expert_views.py',
    '../cross_entropy/cross_entropy_r152_8xb64-30e_places-lt.py',
]

# Of tools/analysis_tools/aggregate_experts.py.
aggregation = dict(rate=0.01, weight_decay=4e-4)
aggregation_views = _base_.expert_views

model = dict(
    backbone=dict(
        _delete_=True,
        type='ltvl_mm.ExpertResNet',
        backbone=_base_.model.backbone,
        num_experts=3,
        width_ratio=1.0,
    ),
    head=dict(
        _delete_=True,
        type='ltvl_mm.ExpertClsHead',
        num_classes=_base_.num_classes,
        in_channels=2048,
        num_experts=3,
        loss=dict(
            type='ltvl_mm.DiverseExpertLoss',
            num_classes=_base_.num_classes,
            tau=1.0,
        ),
    ),
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]

train_dataloader = dict(batch_size=16)  # 128 images on 8 GPUs
optim_wrapper = dict(
    optimizer=dict(lr=0.01, weight_decay=4e-4, nesterov=True),
    paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=0.1)}),
)
auto_scale_lr = dict(base_batch_size=128)
param_scheduler = [dict(type='MultiStepLR', milestones=[10, 20], gamma=0.1)]
