"""Places-LT: 62,500 images of 365 classes.

data_root holds the images, Places_LT_{train,val,test}.txt, and
class_names.txt: the 365 names in label order, one per line, as a prompt must
say them. The paper speaks of 184.5K training images; the list that everyone
uses has 62,500.
"""

data_root = 'data/places'
class_names = data_root + '/class_names.txt'
num_classes = 365
epoch_size = 62_500  # images of the list, with and without retrieval

images = dict(type='CustomDataset', data_root=data_root, classes=class_names)
train_dataloader = dict(
    batch_size=64,  # of each of 8 GPUs
    num_workers=8,
    drop_last=True,
    persistent_workers=False,  # old ones would not be seeded again
    worker_init_fn=dict(type='ltvl_mm.seed_worker'),
    sampler=dict(type='ltvl_mm.FixedEpochSampler'),
    dataset=dict(**images, ann_file='Places_LT_train.txt'),
)
# The checkpoint is chosen on val, and tested once.
val_dataloader, test_dataloader = [
    dict(
        batch_size=128,
        num_workers=4,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(**images, ann_file=f'Places_LT_{split}.txt'),
    )
    for split in ('val', 'test')
]
val_evaluator = dict(
    type='ltvl_mm.ShotAccuracy',
    class_counts=data_root + '/Places_LT_train.txt',
    num_classes=num_classes,
)
test_evaluator = val_evaluator
val_cfg = dict()
test_cfg = dict()
# Of TACKLE: retrieved images, beside those of the list.
retrieved = dict(
    type='ltvl_mm.TACKLEDataset',
    manifest='data/retrieved/places_lt/manifest.parquet',
)
del images  # not a setting of a config that inherits this one
