r"""OLTR: attention and memory after ResNet-152, on Places-LT.

Source:   config/Places_LT/stage_2_meta_embedding.py of the code of Liu et al.
          2019 (arXiv 1904.05160), as corrected in March 2020: 30 epochs, batch
          128, lr 0.01 (features 1e-4), weight decay 5e-4, frozen parts.
Differs:  torchvision's ImageNet weights, theirs are Caffe's; several GPUs,
          theirs is of one; the checkpoint is chosen on val. Their many-shot
          includes classes of 100 images and their few-shot those of 20:
          ties='outer' of the metric.
Command:  tools/dist_train.sh \
              configs/oltr/oltr_r152_8xb16-30e_places-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    under 1 on 8 x A100, estimated, not measured.
Expect:   35.9 overall (Table 2 of the TACKLE paper). By the README of that
          code: 43.7 many, 40.2 medium, 28.0 few, rejecting below 0.1.
Before:   tools/dist_train.sh \
              configs/oltr/oltr-stage1_r152_8xb16-30e_places-lt.py 8 --amp
"""

_base_ = [
    '../_base_/models/oltr.py',
    '../_base_/schedules/second_stage.py',
    '../cross_entropy/cross_entropy_r152_8xb64-30e_places-lt.py',
]

stage_1 = 'work_dirs/oltr-stage1_r152_8xb16-30e_places-lt'  # its best

model = dict(
    **_base_.oltr,
    begun={'neck.neck': 'neck', 'head.hallucinator': 'head.fc'},
    stage_1=stage_1,
    backbone=dict(init_cfg=None),
    neck=dict(_base_.oltr_neck, neck=_base_.narrow_neck),
    head=dict(type='ltvl_mm.MemoryClsHead', in_channels=_base_.width),
)
train_dataloader = dict(batch_size=16, sampler=_base_.class_aware)
optim_wrapper = dict(
    optimizer=dict(lr=0.01),
    paramwise_cfg=dict(custom_keys={'neck': dict(lr_mult=0.01)}),
)
auto_scale_lr = dict(base_batch_size=128)
param_scheduler = [dict(type='MultiStepLR', milestones=[10, 20], gamma=0.1)]
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassMeansHook')]
