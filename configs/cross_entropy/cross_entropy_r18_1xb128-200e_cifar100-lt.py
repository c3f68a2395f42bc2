r"""ResNet-18 on CIFAR-100-LT alone: what TACKLE is compared with.

Source:   not in the TACKLE paper. Schedule of Cao et al. 2019 (arXiv
          1906.07413).
Differs:  ResNet-18 instead of ResNet-32, which mmpretrain does not have.
Command:  python tools/train.py \
    configs/cross_entropy/cross_entropy_r18_1xb128-200e_cifar100-lt.py
Hardware: 1 GPU.
Hours:    under 1: 2.2 million images of 32 px seen; not measured.
Expect:   38.3 overall is their cross-entropy with ResNet-32 at ratio 100.
          There is no val list: the last checkpoint is tested.
Before:   tools/dataset_converters/cifar_lt.py data/cifar100_lt
"""

_base_ = [
    '../_base_/models/cnn_student.py',
    '../_base_/datasets/cifar_32.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/cifar100_lt.py',
]

max_epochs = 200

data_preprocessor = dict(num_classes=_base_.num_classes, **_base_.cifar_norm)
model = dict(
    backbone=dict(type='ResNet_CIFAR', depth=18),
    head=dict(num_classes=_base_.num_classes, in_channels=512),
)
train_dataloader = dict(
    sampler=dict(epoch_size=_base_.epoch_size),
    dataset=dict(pipeline=_base_.train_pipeline_32),
)
test_dataloader = _base_.cifar_test

optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=2e-4)
)
auto_scale_lr = dict(base_batch_size=128)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, end=5, convert_to_iter_based=True),
    dict(type='MultiStepLR', milestones=[160, 180], gamma=0.01),
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs)
