"""ResNet-18 on CIFAR-100-LT alone: what TACKLE is compared with.

Source:   not in the TACKLE paper. Schedule of Cao et al. 2019 (arXiv
          1906.07413).
Differs:  ResNet-18 instead of ResNet-32, which mmpretrain does not have.
Command:  python tools/train.py configs/r18_cifar100.py
Hardware: 1 GPU.
Hours:    under 1: 2.2 million images of 32 px seen; not measured.
Expect:   38.3 overall is their cross-entropy with ResNet-32 at ratio 100.
          There is no val list: the last checkpoint is tested.
Before:   tools/dataset_converters/cifar_lt.py data/cifar100_lt
"""

_base_ = [
    './_base_/datasets/cifar100_lt.py',
    './_base_/default_runtime.py',
]

max_epochs = 200
epoch_size = 10_847  # images of the list, with and without retrieval

model = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet_CIFAR', depth=18),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=_base_.num_classes,
        in_channels=512,
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
    ),
)
train_dataloader = dict(sampler=dict(epoch_size=epoch_size))

optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=2e-4)
)
auto_scale_lr = dict(base_batch_size=128)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, end=5, convert_to_iter_based=True),
    dict(type='MultiStepLR', milestones=[160, 180], gamma=0.01),
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs)
