"""Two views of an image for PaCo and GPaCo, at 224 px.

rand<n>: RandAugment of n operations; stack<n>: after gray or a blur; sim: near
SimCLR's, always changes brightness, contrast and saturation, never the hue.
Source: Cui et al. 2021 (arXiv 2107.12028) and 2022 (arXiv 2209.12400),
"randcls", "randclsstack" and "sim" of their code.
"""

contrast_pipelines = {
    f'{first}_{second}': [
        dict(type='LoadImageFromFile'),
        dict(
            type='MultiView',
            num_views=[1, 1],
            transforms=[views[first], views[second]],
        ),
        dict(type='PackInputs'),
    ]
    for crop, flip, jitter, blurred in (
        (
            dict(type='RandomResizedCrop', scale=224),
            dict(type='RandomFlip', prob=0.5, direction='horizontal'),
            dict(
                type='ColorJitter',
                brightness=0.4,
                contrast=0.4,
                saturation=0.4,
            ),
            [
                dict(type='RandomGrayscale', prob=0.2, keep_channels=True),
                dict(
                    type='GaussianBlur',
                    magnitude_range=(0.1, 2.0),
                    magnitude_std='inf',
                    prob=0.5,
                ),
            ],
        ),
    )
    for views in (
        {
            'sim': [crop, jitter, *blurred, flip],
            **{
                f'{kind}{count}': [
                    crop,
                    flip,
                    jitter,
                    *(blurred if kind == 'stack' else []),
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
                for kind in ('rand', 'stack')
                for count in (2, 3, 5)
            },
        },
    )
    for first, second in (
        ('rand2', 'sim'),
        ('stack2', 'sim'),
        ('stack3', 'sim'),
        ('rand2', 'stack2'),
        ('rand3', 'stack3'),
        ('rand5', 'stack5'),
    )
}
