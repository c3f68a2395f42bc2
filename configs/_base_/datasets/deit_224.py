"""Transforms that DeiT is trained and tested with at 224 px.

Source: Touvron et al. 2021 (arXiv 2012.12877), as mmpretrain's configs/deit
have it, without repeated augmentation.
"""

imagenet_mean = [123.675, 116.28, 103.53]
imagenet_std = [58.395, 57.12, 57.375]
imagenet_norm = dict(mean=imagenet_mean, std=imagenet_std, to_rgb=True)

train_pipeline_deit = [
    dict(type='LoadImageFromFile'),
    dict(
        type='RandomResizedCrop',
        scale=224,
        backend='pillow',
        interpolation='bicubic',
    ),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(
        type='RandAugment',
        policies='timm_increasing',
        num_policies=2,
        total_level=10,
        magnitude_level=9,
        magnitude_std=0.5,
        # Images are BGR here.
        hparams=dict(pad_val=[104, 116, 124], interpolation='bicubic'),
    ),
    dict(
        type='RandomErasing',
        erase_prob=0.25,
        mode='rand',
        min_area_ratio=0.02,
        max_area_ratio=1 / 3,
        fill_color=imagenet_mean[::-1],
        fill_std=imagenet_std[::-1],
    ),
    dict(type='PackInputs'),
]
test_pipeline_deit = [
    dict(type='LoadImageFromFile'),
    dict(
        type='ResizeEdge',
        scale=256,
        edge='short',
        backend='pillow',
        interpolation='bicubic',
    ),
    dict(type='CenterCrop', crop_size=224),
    dict(type='PackInputs'),
]
# Of val_dataloader and test_dataloader.
deit_test = dict(dataset=dict(pipeline=test_pipeline_deit))
# Of images and labels of a batch.
mixing = dict(
    augments=[dict(type='Mixup', alpha=0.8), dict(type='CutMix', alpha=1.0)]
)
smooth_loss = dict(
    type='LabelSmoothLoss', label_smooth_val=0.1, mode='original'
)
