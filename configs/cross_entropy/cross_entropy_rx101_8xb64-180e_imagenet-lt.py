r"""ResNeXt-101 32x4d on ImageNet-LT alone: what TACKLE is compared with.

Source:   the cross-entropy reference; Kang et al. 2020 (arXiv 1910.09217) and
          its code (config/ImageNet_LT/feat_uniform.yaml: 90 epochs of batches
          of 512, lr 0.2 on a cosine, weight decay 5e-4).
Differs:  180 epochs, as many iterations as
          tackle_rx101_8xb64-180e_imagenet-lt.py; warm-up; Nesterov momentum.
Command:  tools/dist_train.sh \
    configs/cross_entropy/cross_entropy_rx101_8xb64-180e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          tackle_rx101_8xb64-180e_imagenet-lt.py.
Expect:   44.8 overall after 90 epochs (Kang et al. 2020).
"""

_base_ = [
    '../_base_/models/cnn_student.py',
    '../_base_/datasets/cnn_224.py',
    '../_base_/schedules/sgd_180e.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/imagenet_lt.py',
]

data_preprocessor = dict(
    num_classes=_base_.num_classes, **_base_.imagenet_norm
)
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))
model = dict(
    backbone=dict(type='ResNeXt', depth=101, groups=32, width_per_group=4),
    head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(
    drop_last=False,
    sampler=dict(epoch_size=_base_.epoch_size),
    dataset=dict(pipeline=_base_.train_pipeline_cnn),
)
val_dataloader = test_dataloader = _base_.cnn_test
