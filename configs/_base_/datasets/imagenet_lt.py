"""ImageNet-LT: 115,846 images of 1000 classes.

data_root holds train/, val/, ImageNet_LT_{train,val,test}.txt, and
class_names.txt (tools/dataset_converters/imagenet_lt.py).
"""

data_root = 'data/imagenet'
class_names = data_root + '/class_names.txt'
num_classes = 1000
epoch_size = 115_846  # images of the list, with and without retrieval

images = dict(type='CustomDataset', data_root=data_root, classes=class_names)
train_dataloader = dict(
    batch_size=64,  # of each of 8 GPUs
    num_workers=8,
    drop_last=True,
    persistent_workers=False,  # old ones would not be seeded again
    worker_init_fn=dict(type='ltvl_mm.seed_worker'),
    sampler=dict(type='ltvl_mm.FixedEpochSampler'),
    dataset=dict(**images, ann_file='ImageNet_LT_train.txt'),
)
# The checkpoint is chosen on val, and tested once.
val_dataloader, test_dataloader = [
    dict(
        batch_size=128,
        num_workers=4,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(**images, ann_file=f'ImageNet_LT_{split}.txt'),
    )
    for split in ('val', 'test')
]
val_evaluator = dict(
    type='ltvl_mm.ShotAccuracy',
    class_counts=data_root + '/ImageNet_LT_train.txt',
    num_classes=num_classes,
)
test_evaluator = val_evaluator
val_cfg = dict()
test_cfg = dict()
# Of TACKLE: retrieved images, beside those of the list.
retrieved = dict(
    type='ltvl_mm.TACKLEDataset',
    manifest='data/retrieved/imagenet_lt/manifest.parquet',
)
del images  # not a setting of a config that inherits this one
