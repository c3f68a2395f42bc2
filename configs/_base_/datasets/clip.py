"""Transforms of CLIP's image towers of 224 px, and of 384 px (RN50x16).

Source: data/dataloader.py of BALLAD's code; OpenAI's mean and std.
"""

# CLIP's mean and std, times 255.
clip_norm = dict(
    mean=[122.7709383, 116.7460125, 104.09373615],
    std=[68.5005327, 66.6321579, 70.32316305],
    to_rgb=True,
)
train_pipeline, train_pipeline_384 = [
    [
        dict(type='LoadImageFromFile'),
        dict(
            type='RandomResizedCrop',
            scale=pixels,
            crop_ratio_range=(0.5, 1.0),
            interpolation='bicubic',
            backend='pillow',
        ),
        dict(type='RandomFlip', prob=0.5, direction='horizontal'),
        dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4),
        dict(type='PackInputs'),
    ]
    for pixels in (224, 384)
]
test_pipeline, test_pipeline_384 = [
    [
        dict(type='LoadImageFromFile'),
        dict(
            type='ResizeEdge',
            scale=pixels,
            edge='short',
            interpolation='bicubic',
            backend='pillow',
        ),
        dict(type='CenterCrop', crop_size=pixels),
        dict(type='PackInputs'),
    ]
    for pixels in (224, 384)
]
# Of val_dataloader and test_dataloader.
clip_test = dict(dataset=dict(pipeline=test_pipeline))
clip_test_384 = dict(dataset=dict(pipeline=test_pipeline_384))
