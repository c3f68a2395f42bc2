"""OLTR: attention and memory after ResNet-152, on Places-LT.

Source:   config/Places_LT/stage_2_meta_embedding.py of the code of Liu et al.
          2019 (arXiv 1904.05160), as corrected in March 2020: 30 epochs, batch
          128, lr 0.01 (features 1e-4), weight decay 5e-4, frozen parts.
Differs:  torchvision's ImageNet weights, theirs are Caffe's; several GPUs,
          theirs is of one; the checkpoint is chosen on val. Their many-shot
          includes classes of 100 images and their few-shot those of 20:
          ties='outer' of the metric.
Command:  tools/dist_train.sh configs/baselines/oltr_r152_places.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    under 1 on 8 x A100, estimated, not measured.
Expect:   35.9 overall (Table 2 of the TACKLE paper). By the README of
          that code: 43.7 many, 40.2 medium, 28.0 few, rejecting below 0.1.
Before:   tools/dist_train.sh configs/baselines/oltr_r152_places_1.py 8 --amp
"""

_base_ = './oltr_r152_places_1.py'

stage_1 = 'work_dirs/oltr_r152_places_1'  # its best, or a file

model = dict(
    type='ltvl_mm.DecoupledClassifier',
    stage_1=stage_1,
    kept=['backbone'],
    begun={'neck.neck': 'neck', 'head.hallucinator': 'head.fc'},
    backbone=dict(init_cfg=None),
    neck=dict(
        _delete_=True,
        type='ltvl_mm.ModulatedAttentionNeck',
        in_channels=2048,
        map_size=7,
        neck=_base_.model.neck,
    ),
    head=dict(type='ltvl_mm.MemoryClsHead'),
)
train_dataloader = dict(
    sampler=dict(
        _delete_=True,
        type='ltvl_mm.ClassBalancedSampler',
        epoch_size=_base_.epoch_size,
        samples_per_class=4,
    )
)
optim_wrapper = dict(
    optimizer=dict(lr=0.01),
    paramwise_cfg=dict(
        _delete_=True, custom_keys={'neck': dict(lr_mult=0.01)}
    ),
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassMeansHook')]
