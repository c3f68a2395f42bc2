"""LT-Soups on the emoji world, stage 2: refit the classifier of the soup.

Command:  python tools/train.py configs/toy/lt_soups/lt_soups_vit.py
Before:   the runs of lt_soups_vit_1.py, merged (docs/lt_soups.md)
Hardware: 1 CPU core, 1 minute.
"""

_base_ = './lt_soups_vit_1.py'

stage_1 = 'work_dirs/lt_soups/merged/round_6.pth'

model = dict(
    type='ltvl_mm.DecoupledClassifier',
    stage_1=stage_1,
    kept=('backbone',),
    begun=dict(head='head'),  # trained further, not anew
    freeze_bn=True,
)
train_dataloader = dict(dataset=dict(imbalance=None))
