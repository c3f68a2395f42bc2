"""Two views of an image for PaCo and GPaCo, at 224 px.

rand<n>: RandAugment of n operations; stack<n>: the same after random grayscale
and blur; sim: close to SimCLR's views, but brightness, contrast and saturation
always change and the hue never does. Source: Cui et al. 2021 (arXiv
2107.12028) and 2022 (arXiv 2209.12400), "randcls", "randclsstack" and "sim" of
their code.
"""

# Their code uses timm's RandAugment without "inc": most operations get
# stronger with the level, but Posterize keeps more bits and Solarize inverts
# fewer pixels, and the four enhancements run from a factor of 0.1 to one of
# 1.9 without a random sign. At level 10, Posterize keeps 4 bits and Solarize
# does nothing. (mmpretrain rounds the bits up and timm down, so that half of
# theirs keep 3.) mmpretrain's preset 'timm_increasing' is the other variant,
# whose Posterize keeps 0 bits at level 10.
contrast_policies = [
    dict(type='AutoContrast'),
    dict(type='Equalize'),
    dict(type='Invert'),
    dict(type='Rotate', magnitude_range=(0, 30)),
    dict(type='Posterize', magnitude_range=(0, 4)),
    dict(type='Solarize', magnitude_range=(0, 256)),
    dict(type='SolarizeAdd', magnitude_range=(0, 110)),
    *[
        dict(type=kind, magnitude_range=(-0.9, 0.9), random_negative_prob=0.0)
        for kind in ('ColorTransform', 'Contrast', 'Brightness', 'Sharpness')
    ],
    dict(type='Shear', magnitude_range=(0, 0.3), direction='horizontal'),
    dict(type='Shear', magnitude_range=(0, 0.3), direction='vertical'),
    dict(type='Translate', magnitude_range=(0, 0.45), direction='horizontal'),
    dict(type='Translate', magnitude_range=(0, 0.45), direction='vertical'),
]

crop = dict(type='RandomResizedCrop', scale=224)
flip = dict(type='RandomFlip', prob=0.5, direction='horizontal')
jitter = dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4)
blurred = [
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
]
views = {'sim': [crop, jitter, *blurred, flip]}
for count in (2, 3, 5):
    augment = dict(
        type='RandAugment',
        policies=contrast_policies,
        num_policies=count,
        total_level=10,
        magnitude_level=10,
        magnitude_std=0.5,
        # Images are BGR here.
        hparams=dict(pad_val=[104, 116, 124], interpolation='bicubic'),
    )
    views[f'rand{count}'] = [crop, flip, jitter, augment]
    views[f'stack{count}'] = [crop, flip, jitter, *blurred, augment]

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
    for first, second in (
        ('rand2', 'sim'),
        ('stack2', 'sim'),
        ('stack3', 'sim'),
        ('rand2', 'stack2'),
        ('rand3', 'stack3'),
        ('rand5', 'stack5'),
    )
}
# On Places-LT, where nothing is learned from RandAugment.
sim_twice = [
    dict(type='LoadImageFromFile'),
    dict(type='MultiView', num_views=2, transforms=[views['sim']]),
    dict(type='PackInputs'),
]
# Not settings of a config that inherits this one.
del crop, flip, jitter, blurred, views, count, augment
