"""OLTR's second stage: attention over places, and a memory of the classes.

Source: Liu et al. 2019 (arXiv 1904.05160) and its code.
"""

width = 512  # of the feature on Places-LT

oltr = dict(
    type='ltvl_mm.DecoupledClassifier',
    kept=['backbone'],
)
oltr_neck = dict(
    type='ltvl_mm.ModulatedAttentionNeck',
    in_channels=2048,
    map_size=7,
)
# The ratios of its learning rates for ImageNet-LT.
oltr_rates = dict(
    custom_keys={
        'neck': dict(lr_mult=0.1),
        'head.centroids': dict(lr_mult=0.1),
    }
)
narrow_neck = dict(
    type='LinearNeck',
    in_channels=2048,
    out_channels=width,
    gap_dim=2,
    norm_cfg=None,
    act_cfg=dict(type='ReLU'),
)
