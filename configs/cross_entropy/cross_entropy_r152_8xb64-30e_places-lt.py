r"""ResNet-152 on Places-LT alone, from ImageNet weights.

Source:   the cross-entropy reference of Table 2 of the TACKLE paper: all CNNs
          start from ImageNet-1k.
Differs:  weights, rate and epochs are not public; those here are ours:
          torchvision's weights and a short fine-tuning.
Command:  tools/dist_train.sh \
    configs/cross_entropy/cross_entropy_r152_8xb64-30e_places-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    under 1 on 8 x A100, estimated, not measured.
Expect:   30.2 overall (Kang et al. 2020, 30 epochs).
"""

_base_ = [
    '../_base_/models/cnn_student.py',
    '../_base_/datasets/cnn_224.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/places_lt.py',
]

max_epochs = 30

data_preprocessor = dict(
    num_classes=_base_.num_classes, **_base_.imagenet_norm
)
model = dict(
    backbone=dict(
        type='ResNet',
        depth=152,
        # A tag, or a file.
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet152'),
    ),
    head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(
    sampler=dict(epoch_size=_base_.epoch_size),
    dataset=dict(pipeline=_base_.train_pipeline_cnn),
)
val_dataloader = test_dataloader = _base_.cnn_test

optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.02, momentum=0.9, weight_decay=5e-4)
)
auto_scale_lr = dict(base_batch_size=512)
param_scheduler = [
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, convert_to_iter_based=True
    )
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=5)
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))
