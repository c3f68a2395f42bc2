"""Transforms of LIFT and LT-Soups at 224 px.

torchvision's crop and resizing: of 0.08 to 1 of the image, bilinear. Source:
the code of Shi et al. 2024 (arXiv 2309.10019) and of Aminbeidokhti et al. 2025
(arXiv 2511.10683).
"""

train_pipeline_bilinear = [
    dict(type='LoadImageFromFile'),
    dict(
        type='RandomResizedCrop',
        scale=224,
        interpolation='bilinear',
        backend='pillow',
    ),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline_bilinear = [
    dict(type='LoadImageFromFile'),
    dict(
        type='ResizeEdge',
        scale=256,
        edge='short',
        interpolation='bilinear',
        backend='pillow',
    ),
    dict(type='CenterCrop', crop_size=224),
    dict(type='PackInputs'),
]
# Of val_dataloader and test_dataloader.
bilinear_test = dict(dataset=dict(pipeline=test_pipeline_bilinear))
