"""iNaturalist 2018: 437,513 images of 8142 classes.

data_root holds the images, iNaturalist18_{train,val}.txt, and class_names.txt:
the 8142 species in label order, one per line.
"""

data_root = 'data/inat18'
class_names = data_root + '/class_names.txt'
num_classes = 8142
epoch_size = 437_513  # images of the list, with and without retrieval

images = dict(type='CustomDataset', data_root=data_root, classes=class_names)
train_dataloader = dict(
    batch_size=64,  # of each of 8 GPUs
    num_workers=8,
    drop_last=True,
    persistent_workers=False,  # old ones would not be seeded again
    worker_init_fn=dict(type='ltvl_mm.seed_worker'),
    sampler=dict(type='ltvl_mm.FixedEpochSampler'),
    dataset=dict(**images, ann_file='iNaturalist18_train.txt'),
)
test_dataloader = dict(
    batch_size=128,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**images, ann_file='iNaturalist18_val.txt'),
)
# The papers test on the official val list, and there is no other to choose a
# checkpoint on: the last one is tested.
val_dataloader = val_evaluator = val_cfg = None
test_evaluator = dict(
    type='ltvl_mm.ShotAccuracy',
    class_counts=data_root + '/iNaturalist18_train.txt',
    num_classes=num_classes,
)
test_cfg = dict()
# Of TACKLE: retrieved images, beside those of the list.
retrieved = dict(
    type='ltvl_mm.TACKLEDataset',
    manifest='data/retrieved/inat18/manifest.parquet',
)
del images  # not a setting of a config that inherits this one
