"""ResNet-152 on Places-LT alone, from ImageNet weights.

Source:   the cross-entropy reference of Table 2 of the TACKLE paper: all CNNs
          start from ImageNet-1k.
Differs:  weights, rate and epochs are not public; those here are ours:
          torchvision's weights and a short fine-tuning.
Command:  tools/dist_train.sh configs/r152_places.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    under 1 on 8 x A100, estimated, not measured.
Expect:   30.2 overall (Kang et al. 2020, 30 epochs).
"""

_base_ = [
    './_base_/datasets/places_lt_clip.py',
    './_base_/datasets/cnn_224.py',
    './_base_/default_runtime.py',
]

max_epochs = 30
epoch_size = 62_500  # images of Places-LT, with and without retrieval

data_preprocessor = _base_.imagenet_norm
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ResNet',
        depth=152,
        # A tag, or a file.
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet152'),
    ),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=_base_.num_classes,
        in_channels=2048,
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
    ),
)
train_dataloader = dict(
    sampler=dict(epoch_size=epoch_size),
    dataset=dict(pipeline=_base_.train_pipeline_cnn),
)
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline_cnn))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline_cnn))

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
