r"""LIFT+: CLIP ViT-B/16 with trained adapters, on iNaturalist 2018.

Source:   Shi et al. 2025 (arXiv 2504.13282) and its code
          (configs/method/lift+.yaml, configs/data/inat2018.yaml): 15 epochs,
          lr 0.02, weight decay 5e-4, batch 128; AdaptFormer of width 256 in
          each block, classes that start as texts, minimalist augmentation;
          test-time ensembling of five crops with tools/test.py --tta. Not in
          the TACKLE paper.
Differs:  test in float32 (theirs: float16).
Command:  tools/dist_train.sh \
              configs/lift_plus/lift_plus_vit-b16_1xb128-15e_inat18.py 1 --amp
Hardware: 1 GPU of 24 GB or more.
Hours:    about 5 on one A100, from the images of
          lift_plus_vit-b16_1xb128-5e_imagenet-lt.py; not measured.
Expect:   not known: the tables of the LIFT+ paper could not be read, and ours
          is not measured.
"""

_base_ = [
    '../_base_/models/lift_plus_vit_b16.py',
    '../_base_/datasets/inat18.py',
]

max_epochs = 15

data_preprocessor = dict(num_classes=_base_.num_classes, **_base_.clip_norm)
custom_hooks = [*_base_.custom_hooks, *_base_.lift_plus_hooks]
model = dict(
    backbone=dict(dim=256),  # 2^floor(log2(K / 24)), as their code has it
    head=dict(
        class_names=_base_.class_names,
        loss=dict(num_classes=_base_.num_classes),
    ),
)
train_dataloader = _base_.lift_plus_train
test_dataloader = _base_.lift_plus_test
param_scheduler = [dict(type='CosineAnnealingLR', T_max=max_epochs)]
train_cfg = dict(max_epochs=max_epochs)
