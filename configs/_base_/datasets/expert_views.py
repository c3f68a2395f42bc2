"""Views of test images from which TADE learns its weights of experts, 224 px.

Those of MoCo v2. Source: test_training_imagenet.py, test_training_places.py
and test_training_inat.py of the code of Zhang et al. 2021 (arXiv 2107.09249).
On iNaturalist 2018 the crop has 0.08 to 1 of the image instead of 0.2 to 1.
"""

expert_views, expert_views_inat18 = [
    [
        dict(type='LoadImageFromFile'),
        dict(
            type='RandomResizedCrop',
            scale=224,
            crop_ratio_range=(smallest, 1.0),
        ),
        dict(
            type='RandomApply',
            prob=0.8,
            transforms=[
                dict(
                    type='ColorJitter',
                    brightness=0.4,
                    contrast=0.4,
                    saturation=0.4,
                    hue=0.1,
                )
            ],
        ),
        dict(
            type='RandomGrayscale',
            prob=0.2,
            keep_channels=True,
            # Pillow's, of blue, green and red.
            channel_weights=(0.114, 0.587, 0.299),
        ),
        dict(
            type='GaussianBlur',
            magnitude_range=(0.1, 2.0),
            magnitude_std='inf',
            prob=0.5,
        ),
        dict(type='RandomFlip', prob=0.5, direction='horizontal'),
        dict(type='PackInputs'),
    ]
    for smallest in (0.2, 0.08)
]
