"""TACKLE: ResNeXt-50 32x4d on ImageNet-LT and retrieved web images.

Source:   "Unleashing the Potential of Vision-Language Models for Long-Tailed
          Visual Recognition", section 2.3 and Table 1.
Differs:  n_k, temperature, schedule and augmentation are not public; those
          here are ours, the augmentation is that of Kang et al. 2020 (arXiv
          1910.09217).
Command:  tools/dist_train.sh configs/tackle_rx50.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    about 2 on 8 x A100: 20.9 million images seen, estimated from 400
          images/s per GPU, not measured.
Expect:   60.6 overall (Table 1).
Before:   embed the web images and the val and test lists with
          tools/embed_images.py, then retrieve with tools/retrieve.py; see
          "Your own data" in the README.
"""

_base_ = './_base_/default_runtime.py'

# Holds train/, val/, ImageNet_LT_{train,val,test}.txt, and class_names.txt
# (tools/dataset_converters/imagenet_lt.py).
data_root = 'data/imagenet'
manifest = 'data/retrieved/imagenet_lt/manifest.parquet'

num_classes = 1000
batch_size = 64  # of each of 8 GPUs
epoch_size = 115_846  # images of ImageNet-LT, with and without retrieval
max_epochs = 180

data_preprocessor = dict(
    num_classes=num_classes,
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    to_rgb=True,
)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='RandomResizedCrop', scale=224),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='ResizeEdge', scale=256, edge='short'),
    dict(type='CenterCrop', crop_size=224),
    dict(type='PackInputs'),
]


model = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNeXt', depth=50, groups=32, width_per_group=4),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=num_classes,
        in_channels=2048,
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
    ),
)

# No re-balancing: plain shuffling and plain cross-entropy, as section 2.3.
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=8,
    persistent_workers=False,  # old ones would not be seeded again
    worker_init_fn=dict(type='ltvl_mm.seed_worker'),
    sampler=dict(type='ltvl_mm.FixedEpochSampler', epoch_size=epoch_size),
    dataset=dict(
        type='ltvl_mm.TACKLEDataset',
        manifest=manifest,
        dataset=dict(
            type='CustomDataset',
            data_root=data_root,
            ann_file='ImageNet_LT_train.txt',
            classes=data_root + '/class_names.txt',
            pipeline=train_pipeline,
        ),
    ),
)
# The checkpoint is chosen on val, and tested once.
val_dataloader = dict(
    batch_size=128,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CustomDataset',
        data_root=data_root,
        ann_file='ImageNet_LT_val.txt',
        classes=data_root + '/class_names.txt',
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=128,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CustomDataset',
        data_root=data_root,
        ann_file='ImageNet_LT_test.txt',
        classes=data_root + '/class_names.txt',
        pipeline=test_pipeline,
    ),
)
val_evaluator = dict(
    type='ltvl_mm.ShotAccuracy',
    class_counts=data_root + '/ImageNet_LT_train.txt',
    num_classes=num_classes,
)
test_evaluator = val_evaluator

optim_wrapper = dict(
    optimizer=dict(
        type='SGD', lr=0.2, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
)
auto_scale_lr = dict(base_batch_size=512)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, end=5, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        begin=5,
        end=max_epochs,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=5)
val_cfg = dict()
test_cfg = dict()
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))
