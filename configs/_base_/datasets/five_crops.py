"""Test-time ensembling of LIFT and LIFT+ at 224 px: tools/test.py --tta.

Source: the code of Shi et al. 2025 (arXiv 2504.13282).
"""

tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='ResizeEdge',
        scale=248,  # 224 + 24
        edge='short',
        interpolation='bicubic',
        backend='pillow',
    ),
    dict(
        type='TestTimeAug',
        transforms=[
            [
                dict(type='ltvl_mm.FixedCrop', crop_size=224, x=x, y=y)
                for x, y in ((0, 0), (0, 1), (1, 0), (1, 1), (0.5, 0.5))
            ],
            [dict(type='PackInputs')],
        ],
    ),
]
tta_model = dict(type='ltvl_mm.AverageLogitTTA')
