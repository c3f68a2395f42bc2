"""ImageNet-LT at 224 px: 115,846 images of 1000 classes.

data_root holds train/, val/, ImageNet_LT_{train,val,test}.txt, and
class_names.txt (tools/dataset_converters/imagenet_lt.py).
"""

_base_ = './clip_224.py'

data_root = 'data/imagenet'
class_names = data_root + '/class_names.txt'
num_classes = 1000

data_preprocessor = dict(num_classes=num_classes)
train_dataloader = dict(
    batch_size=64,  # of each of 8 GPUs
    num_workers=8,
    drop_last=True,
    persistent_workers=False,  # old ones would not be seeded again
    worker_init_fn=dict(type='ltvl_mm.seed_worker'),
    sampler=dict(type='ltvl_mm.FixedEpochSampler'),
    dataset=dict(
        type='CustomDataset',
        data_root=data_root,
        ann_file='ImageNet_LT_train.txt',
        classes=class_names,
        pipeline=_base_.train_pipeline,
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
        classes=class_names,
        pipeline=_base_.test_pipeline,
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
        classes=class_names,
        pipeline=_base_.test_pipeline,
    ),
)
val_evaluator = dict(
    type='ltvl_mm.ShotAccuracy',
    class_counts=data_root + '/ImageNet_LT_train.txt',
    num_classes=num_classes,
)
test_evaluator = val_evaluator
val_cfg = dict()
test_cfg = dict()
