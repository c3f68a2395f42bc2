"""PaCo's loss, and what of ResNet-152 it trains on Places-LT.

Source: Cui et al. 2021 (arXiv 2107.12028) and its code.
"""

paco_loss = dict(_delete_=True, type='ltvl_mm.PaCoLoss')
# Of GPaCo (Cui et al. 2022, arXiv 2209.12400), on all data sets.
gpaco_loss = dict(**paco_loss, temperature=0.2)
# Of the convolutions the last block's alone. A learning rate of 0 freezes; the
# longest key that fits a name counts.
last_block = dict(
    custom_keys={
        '.conv': dict(lr_mult=0.0),
        'downsample.0': dict(lr_mult=0.0),
        'backbone.layer4.2.conv': dict(lr_mult=1.0),
    }
)
places_scheduler = [
    dict(type='LinearLR', start_factor=0.2, end=5, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR', begin=5, end=30, convert_to_iter_based=True
    ),
]
