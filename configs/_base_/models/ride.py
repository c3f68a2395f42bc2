"""RIDE's experts behind a shared trunk, each of three quarters of its width.

Source: Wang et al. 2021 (arXiv 2010.01809). The backbone that is parted and
the number of experts are the leaf's.
"""

model = dict(
    type='ImageClassifier',
    backbone=dict(type='ltvl_mm.ExpertResNet'),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='ltvl_mm.ExpertClsHead', in_channels=1536),
)
