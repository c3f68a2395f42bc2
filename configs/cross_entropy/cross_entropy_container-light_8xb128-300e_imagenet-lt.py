r"""CONTAINER-Light on ImageNet-LT alone: what TACKLE is compared with.

Source:   Table 6 of the TACKLE paper, without retrieval; Gao et al. 2021
          (arXiv 2106.01401) for the backbone, which is trained as DeiT is.
Differs:  the schedule of the paper is not public: that of
          cross_entropy_deit-s_8xb128-300e_imagenet-lt.py.
Command:  tools/dist_train.sh \
    configs/cross_entropy/cross_entropy_container-light_8xb128-300e_imagenet-lt.py \
    8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    about 6 on 8 x A100: 34.8 million images seen, estimated from 200
          images/s per GPU, not measured.
Expect:   70.9 many, 39.7 medium, 12.6 few, 48.0 overall (Table 6).
"""  # noqa: E501

_base_ = [
    '../_base_/datasets/deit_224.py',
    '../_base_/schedules/adamw_300e.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/imagenet_lt.py',
]

model = dict(
    type='ImageClassifier',
    backbone=dict(type='ltvl_mm.CONTAINER', arch='light', drop_path_rate=0.1),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=_base_.num_classes,
        in_channels=512,
        loss=_base_.smooth_loss,
    ),
    # Convolutions keep PyTorch's own, as in the authors' code.
    init_cfg=[dict(type='TruncNormal', layer='Linear', std=0.02)],
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
        flat_decay_mult=0.0,  # gates
        custom_keys=dict(),
    )
)
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))
