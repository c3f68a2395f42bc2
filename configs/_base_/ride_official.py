"""Rates of RIDE as its authors' code changes them; of TADE on iNaturalist too.

Source: CustomLR of the code of Wang et al. 2021 (arXiv 2010.01809) and of
Zhang et al. 2021 (arXiv 2107.09249), warmup_epoch 5, step1 60, step2 80.
"""

# Both change by epoch: 0.2, 0.4, ..., 1 of the rate in the first five.
ride_scheduler = [
    dict(type='LinearLR', start_factor=0.2, end=5),
    dict(type='MultiStepLR', milestones=[60, 80], gamma=0.1),
]
