r"""DeiT-S on ImageNet-LT alone: what TACKLE is compared with.

Source:   Table 6 of the TACKLE paper, without retrieval; the recipe of Touvron
          et al. 2021 (arXiv 2012.12877).
Differs:  the schedule of the paper is not public; no repeated augmentation.
Command:  tools/dist_train.sh \
    configs/cross_entropy/cross_entropy_deit-s_8xb128-300e_imagenet-lt.py \
    8 --amp
Hardware: 8 GPUs of 16 GB or more.
Hours:    about 4 on 8 x A100: 34.8 million images seen, estimated from 300
          images/s per GPU, not measured.
Expect:   49.7 many, 22.7 medium, 6.3 few, 30.8 overall (Table 6).
"""

_base_ = [
    '../_base_/datasets/deit_224.py',
    '../_base_/schedules/adamw_300e.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/imagenet_lt.py',
]

model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='VisionTransformer',
        arch='deit-small',
        img_size=224,
        patch_size=16,
        drop_path_rate=0.1,
    ),
    neck=None,
    head=dict(
        type='VisionTransformerClsHead',
        num_classes=_base_.num_classes,
        in_channels=384,
        loss=_base_.smooth_loss,
    ),
    init_cfg=[
        dict(type='TruncNormal', layer='Linear', std=0.02),
        dict(type='Constant', layer='LayerNorm', val=1.0, bias=0.0),
    ],
    train_cfg=_base_.mixing,
)
train_dataloader = dict(
    batch_size=128,  # of each of 8 GPUs
    sampler=dict(epoch_size=_base_.epoch_size),
    dataset=dict(pipeline=_base_.train_pipeline_deit),
)
val_dataloader = test_dataloader = _base_.deit_test
data_preprocessor = dict(
    num_classes=_base_.num_classes, **_base_.imagenet_norm
)
optim_wrapper = dict(
    paramwise_cfg=dict(
        custom_keys={
            '.cls_token': dict(decay_mult=0.0),
            '.pos_embed': dict(decay_mult=0.0),
        }
    )
)
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))
