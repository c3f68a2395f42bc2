"""Places-LT at 224 px: 62,500 images of 365 classes.

data_root holds the images, Places_LT_{train,val,test}.txt, and
class_names.txt: the 365 names in label order, one per line, as a prompt must
say them. The paper speaks of 184.5K training images; the list that everyone
uses has 62,500.
"""

_base_ = './clip_224.py'

data_root = 'data/places'
class_names = data_root + '/class_names.txt'
num_classes = 365

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
        ann_file='Places_LT_train.txt',
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
        ann_file='Places_LT_val.txt',
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
        ann_file='Places_LT_test.txt',
        classes=class_names,
        pipeline=_base_.test_pipeline,
    ),
)
val_evaluator = dict(
    type='ltvl_mm.ShotAccuracy',
    class_counts=data_root + '/Places_LT_train.txt',
    num_classes=num_classes,
)
test_evaluator = val_evaluator
val_cfg = dict()
test_cfg = dict()
