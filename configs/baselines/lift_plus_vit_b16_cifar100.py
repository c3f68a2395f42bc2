r"""LIFT+: CLIP ViT-B/16 with trained adapters, on CIFAR-100-LT.

Source:   Shi et al. 2025 (arXiv 2504.13282) and its code
          (configs/method/lift+.yaml, configs/data/cifar100_ir100.yaml): 5
          epochs, lr 0.02, weight decay 5e-4, batch 128; AdaptFormer of width
          4 in each block, classes that start as texts, minimalist
          augmentation; test-time ensembling of five crops with tools/test.py
          --tta. Not in the TACKLE paper.
Differs:  test in float32 (theirs: float16).
Command:  tools/dist_train.sh \
              configs/baselines/lift_plus_vit_b16_cifar100.py 1 --amp
Hardware: 1 GPU of 24 GB or more.
Hours:    under 0.1 on one A100, from the images of lift_plus_vit_b16.py; not
          measured.
Expect:   81.7 overall with five crops is LIFT's (Shi et al. 2024, 10
          epochs), at ratio 100.
          The table of the LIFT+ paper was not available, and ours is not
          measured.
"""

_base_ = [
    '../_base_/datasets/cifar100_lt.py',
    '../_base_/models/lift_plus_vit_b16.py',
    '../_base_/default_runtime.py',
]

# Of CLIP, which sees images of 224 px.
data_preprocessor = dict(
    mean=[122.7709383, 116.7460125, 104.09373615],
    std=[68.5005327, 66.6321579, 70.32316305],
)
model = dict(
    backbone=dict(dim=4),  # 2^floor(log2(K / 24)), as their code has it
    head=dict(
        class_names=_base_.class_names,
        loss=dict(num_classes=_base_.num_classes),
    ),
)
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='ltvl_mm.ClassCountsHook'),
    dict(type='ltvl_mm.TransformEpochHook'),
]
train_dataloader = dict(
    batch_size=128, dataset=dict(pipeline=_base_.lift_plus_train)
)
test_dataloader = dict(dataset=dict(pipeline=_base_.lift_plus_test))
