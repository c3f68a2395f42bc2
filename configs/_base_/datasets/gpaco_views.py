"""Two views of an image for GPaCo on ImageNet-LT, at 224 px.

Both with RandAugment, of rand2: 2, rand3: 3, rand5: 5 operations; the second
also in gray or blurred. Source: Cui et al. 2022 (arXiv 2209.12400),
"randcls_randclsstack" of their code.
"""

gpaco_pipelines = {
    f'rand{count}': [
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
                    *blurred,
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
                ]
                for blurred in (
                    [],
                    [
                        dict(
                            type='RandomGrayscale',
                            prob=0.2,
                            keep_channels=True,
                        ),
                        dict(
                            type='GaussianBlur',
                            magnitude_range=(0.1, 2.0),
                            magnitude_std='inf',
                            prob=0.5,
                        ),
                    ],
                )
            ],
        ),
        dict(type='PackInputs'),
    ]
    for count in (2, 3, 5)
}
