"""A small ResNet on the emoji world's long-tailed list alone.

Command:  python tools/train.py configs/emoji/r18.py
Before:   python tools/dataset_converters/make_emoji_world.py data/emoji
Hardware: 1 CPU core, 2 minutes.
Expect:   39 % over 96 classes (many 73, medium 47, few 5; seed 0, one run).
"""

_base_ = ['../_base_/datasets/emoji_world.py', '../_base_/toy_runtime.py']

max_epochs = 20  # of 4,800 images, whatever the training set

model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ResNet',
        depth=18,
        base_channels=32,
        stem_channels=32,
        num_stages=3,
        strides=(1, 2, 2),
        dilations=(1, 1, 1),
        out_indices=(2,),
    ),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=96,
        in_channels=128,
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
    ),
)

train_dataloader = dict(sampler=dict(epoch_size=4800))
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='ltvl_mm.ChannelsLastHook'),
]

optim_wrapper = dict(
    type='ltvl_mm.BFloat16OptimWrapper',
    optimizer=dict(
        type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True
    ),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, end=1, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        begin=1,
        end=max_epochs,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=10)
val_cfg = dict()
test_cfg = dict()
