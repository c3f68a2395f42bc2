r"""LT-Soups, stage 1: a run with CLIP ViT-B/16, on CIFAR-100-LT.

Each run trains on a subset in which a class has at most n_min * imbalance
images. The runs are merged by tools/model_converters/average_weights.py (see
docs/lt_soups.md); then comes lt_soups_vit-b16_1xb128-10e_cifar100-lt.py.

Source:   Aminbeidokhti et al. 2025 (arXiv 2511.10683) and its code
          (scripts/run_lt_soups.sh; trainer.py): 10 epochs, at least 100 steps,
          AdamW, weight decay 1e-2, batch 128, all of the tower and the
          classifier at 3e-5; imbalance 1, 2, 4, ..., 64, two subsets each. Not
          in the TACKLE paper.
Differs:  the script is of CIFAR-100-LT, whose settings are used for all; the
          cosine begins with the warm-up and not after it.
Command:  tools/dist_train.sh \
    configs/lt_soups/lt_soups-stage1_vit-b16_1xb128-10e_cifar100-lt.py 1 --amp
Hardware: 1 GPU of 40 GB or more.
Hours:    not measured; 10 passes of the subset forward and backward.
Expect:   see lt_soups_vit-b16_1xb128-10e_cifar100-lt.py.
"""

_base_ = [
    '../_base_/models/lt_soups_vit_b16.py',
    '../_base_/datasets/clip.py',
    '../_base_/datasets/bilinear_224.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/cifar100_lt.py',
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
test_dataloader = _base_.bilinear_test
