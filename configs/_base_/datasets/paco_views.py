"""Two views of an image for PaCo, at 224 px: RandAugment, and near SimCLR's.

RandAugment of rand2: 2 operations, of stack2 and stack3: 2 and 3, after gray
or a blur as in the second view. Source: Cui et al. 2021 (arXiv 2107.12028),
"randcls", "randclsstack" and "sim" of their code, whose "sim" always changes
brightness, contrast and saturation, never the hue.
"""

paco_pipelines = {
    name: [
        dict(type='LoadImageFromFile'),
        dict(
            type='MultiView',
            num_views=[1, 1],
            transforms=[
                [
                    dict(type='RandomResizedCrop', scale=224),
                    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
                    dict(
                        type='ColorJitter',
                        brightness=0.4,
                        contrast=0.4,
                        saturation=0.4,
                    ),
                    *(blurred if stacked else []),
                    dict(
                        type='RandAugment',
                        policies='timm_increasing',
                        num_policies=count,
                        total_level=10,
                        magnitude_level=10,
                        magnitude_std=0.5,
                        # Images are BGR here.
                        hparams=dict(
                            pad_val=[104, 116, 124], interpolation='bicubic'
                        ),
                    ),
                ],
                [
                    dict(type='RandomResizedCrop', scale=224),
                    dict(
                        type='ColorJitter',
                        brightness=0.4,
                        contrast=0.4,
                        saturation=0.4,
                    ),
                    *blurred,
                    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
                ],
            ],
        ),
        dict(type='PackInputs'),
    ]
    for blurred in (
        [
            dict(type='RandomGrayscale', prob=0.2, keep_channels=True),
            dict(
                type='GaussianBlur',
                magnitude_range=(0.1, 2.0),
                magnitude_std='inf',
                prob=0.5,
            ),
        ],
    )
    for name, count, stacked in (
        ('rand2', 2, False),
        ('stack2', 2, True),
        ('stack3', 3, True),
    )
}
