"""DeiT-S on ImageNet-LT alone: what TACKLE is compared with.

Source:   Table 6 of the TACKLE paper, without retrieval; the recipe of Touvron
          et al. 2021 (arXiv 2012.12877).
Differs:  the schedule of the paper is not public; no repeated augmentation.
Command:  tools/dist_train.sh configs/deit_s.py 8 --amp
Hardware: 8 GPUs of 16 GB or more.
Hours:    about 4 on 8 x A100: 34.8 million images seen, estimated from 300
          images/s per GPU, not measured.
Expect:   49.7 many, 22.7 medium, 6.3 few, 30.8 overall (Table 6).
"""

_base_ = [
    './_base_/datasets/imagenet_lt_clip.py',
    './_base_/datasets/cnn_224.py',
    './_base_/default_runtime.py',
]

epoch_size = 115_846  # images of ImageNet-LT, with and without retrieval
max_epochs = 300

data_preprocessor = _base_.imagenet_norm
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
        loss=dict(
            type='LabelSmoothLoss', label_smooth_val=0.1, mode='original'
        ),
    ),
    init_cfg=[
        dict(type='TruncNormal', layer='Linear', std=0.02),
        dict(type='Constant', layer='LayerNorm', val=1.0, bias=0.0),
    ],
    train_cfg=dict(
        augments=[
            dict(type='Mixup', alpha=0.8),
            dict(type='CutMix', alpha=1.0),
        ]
    ),
)
train_dataloader = dict(
    batch_size=128,  # of each of 8 GPUs
    sampler=dict(epoch_size=epoch_size),
    dataset=dict(pipeline=_base_.train_pipeline_deit),
)
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline_deit))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline_deit))

optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        bias_decay_mult=0.0,
        custom_keys={
            '.cls_token': dict(decay_mult=0.0),
            '.pos_embed': dict(decay_mult=0.0),
        },
    ),
    clip_grad=dict(max_norm=5.0),
)
auto_scale_lr = dict(base_batch_size=1024)
param_scheduler = [
    dict(
        type='LinearLR', start_factor=1e-3, end=5, convert_to_iter_based=True
    ),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        begin=5,
        end=max_epochs,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=10)
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))
