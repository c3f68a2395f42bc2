"""CIFAR-100-LT: 10,847 images of 100 classes at ratio 100.

data_root holds the images, CIFAR100_LT_{train,test}.txt, and class_names.txt
(tools/dataset_converters/cifar_lt.py data/cifar100_lt).
"""

data_root = 'data/cifar100_lt'
class_names = data_root + '/class_names.txt'
num_classes = 100
epoch_size = 10_847  # images of the list, with and without retrieval

train_dataloader = dict(
    batch_size=128,
    num_workers=4,
    persistent_workers=False,  # old ones would not be seeded again
    worker_init_fn=dict(type='ltvl_mm.seed_worker'),
    sampler=dict(type='ltvl_mm.FixedEpochSampler'),
    dataset=dict(
        type='CustomDataset',
        data_root=data_root,
        ann_file='CIFAR100_LT_train.txt',
        classes=class_names,
    ),
)
test_dataloader = dict(
    batch_size=256,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CustomDataset',
        data_root=data_root,
        ann_file='CIFAR100_LT_test.txt',
        classes=class_names,
    ),
)
# There are no validation images, and papers test the last checkpoint.
val_dataloader = val_evaluator = val_cfg = None
test_evaluator = dict(
    type='ltvl_mm.ShotAccuracy',
    class_counts=data_root + '/CIFAR100_LT_train.txt',
    num_classes=num_classes,
)
test_cfg = dict()
