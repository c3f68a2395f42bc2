r"""LIFT: CLIP ViT-B/16 with trained adapters, on ImageNet-LT.

Source:   Shi et al. 2024 (arXiv 2309.10019) and its code
          (configs/model/clip_vit_b16_peft.yaml,
          configs/data/imagenet_lt.yaml): AdaptFormer in each block, cosine
          classifier before the projection of CLIP that is initialized from
          class texts, logit-adjusted loss, crops and flips alone, 10 epochs;
          test-time ensembling of five crops with tools/test.py --tta. Not in
          the TACKLE paper.
Differs:  the rate falls with each iteration, not each epoch, and the
          checkpoint is chosen on val.
Command:  tools/dist_train.sh \
              configs/lift/lift_vit-b16_1xb128-10e_imagenet-lt.py 1 --amp
Hardware: 1 GPU of 24 GB or more.
Hours:    about 1 on one A100, estimated from 400 images/s, not measured.
Expect:   77.0 overall; 78.3 with its test-time ensembling of crops (Shi et
          al.). Ours is not measured.
"""

_base_ = [
    '../_base_/datasets/clip.py',
    '../_base_/datasets/bilinear_224.py',
    '../_base_/datasets/five_crops.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/imagenet_lt.py',
]

arch = 'ViT-B-16-quickgelu'
pretrained = 'openai'  # open_clip's tag, or a file
max_epochs = 10

data_preprocessor = dict(num_classes=_base_.num_classes, **_base_.clip_norm)
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ltvl_mm.AdaptedBackbone',
        backbone=dict(
            type='ltvl_mm.CLIPBackbone',
            arch=arch,
            pretrained=pretrained,
            projection=False,
        ),
        targets=r'visual\.transformer\.resblocks\.\d+\.mlp',
        norm='ln_2',
        dim=32,
        scale=1.0,
    ),
    head=dict(
        type='ltvl_mm.TextInitClsHead',
        arch=arch,
        pretrained=pretrained,
        class_names=_base_.class_names,
        projection=False,
        loss=dict(
            type='ltvl_mm.LogitAdjustedLoss', num_classes=_base_.num_classes
        ),
    ),
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]

train_dataloader = dict(
    batch_size=128, dataset=dict(pipeline=_base_.train_pipeline_bilinear)
)
val_dataloader = test_dataloader = _base_.bilinear_test
optim_wrapper = dict(
    constructor='ltvl_mm.TrainableOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-4),
)
auto_scale_lr = dict(base_batch_size=128)
param_scheduler = [
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, convert_to_iter_based=True
    )
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=5)
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))

# 248 pixels are 224 and the 24 of the authors' code.
tta_pipeline = [
    _base_.tta_pipeline[0],
    dict(_base_.tta_pipeline[1], interpolation='bilinear'),
    _base_.tta_pipeline[2],
]
