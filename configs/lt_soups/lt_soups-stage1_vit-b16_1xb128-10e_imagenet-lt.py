r"""LT-Soups, stage 1: a run with CLIP ViT-B/16, on ImageNet-LT.

Merge the runs as docs/lt_soups.md describes; then comes
lt_soups_vit-b16_1xb128-10e_imagenet-lt.py.

Source:   as lt_soups-stage1_vit-b16_1xb128-10e_cifar100-lt.py.
Differs:  as lt_soups-stage1_vit-b16_1xb128-10e_cifar100-lt.py, whose
          settings are used.
Command:  tools/dist_train.sh \
    configs/lt_soups/lt_soups-stage1_vit-b16_1xb128-10e_imagenet-lt.py 1 --amp
Hardware: 1 GPU of 40 GB or more.
Hours:    not measured; 10 passes of the subset forward and backward.
Expect:   see lt_soups_vit-b16_1xb128-10e_imagenet-lt.py.
"""

_base_ = [
    '../_base_/models/lt_soups_vit_b16.py',
    '../_base_/datasets/clip.py',
    '../_base_/datasets/bilinear_224.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/imagenet_lt.py',
]

data_preprocessor = dict(num_classes=_base_.num_classes, **_base_.clip_norm)
model = dict(
    head=dict(
        class_names=_base_.class_names,
        loss=dict(num_classes=_base_.num_classes),
    ),
)
custom_hooks = [*_base_.custom_hooks, *_base_.lt_soups_hooks]
train_dataloader = dict(
    batch_size=128,
    sampler=_base_.lt_soups_sampler,
    dataset=dict(
        _delete_=True,
        **_base_.lt_soups_subset,
        dataset=dict(
            _base_.train_dataloader.dataset,
            pipeline=_base_.train_pipeline_bilinear,
        ),
    ),
)
val_dataloader = test_dataloader = _base_.bilinear_test
