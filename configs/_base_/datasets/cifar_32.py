"""Transforms that a CNN is trained and tested with at CIFAR's 32 px.

Source: augmentation of Cao et al. 2019 (arXiv 1906.07413).
"""

cifar_norm = dict(
    mean=[125.307, 122.961, 113.8575],
    std=[51.5865, 50.847, 51.255],
    to_rgb=True,
)
train_pipeline_32 = [
    dict(type='LoadImageFromFile'),
    # For retrieved images; those of CIFAR are of this size.
    dict(type='ResizeEdge', scale=32, interpolation='area'),
    dict(type='RandomCrop', crop_size=32, padding=4),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline_32 = [
    dict(type='LoadImageFromFile'),
    dict(type='ResizeEdge', scale=32, interpolation='area'),
    dict(type='CenterCrop', crop_size=32),
    dict(type='PackInputs'),
]
cifar_test = dict(dataset=dict(pipeline=test_pipeline_32))
