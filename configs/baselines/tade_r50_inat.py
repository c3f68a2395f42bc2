"""TADE: 3 experts of ResNet-50 on iNaturalist 2018.

Source:   Zhang et al. 2021 (arXiv 2107.09249), without test-time weights:
          the mean of the experts answers. The schedule is
          that of r50_inat.py.
Command:  tools/dist_train.sh configs/baselines/tade_r50_inat.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as r50_inat.py,
          and half as many again.
Expect:   72.9 overall (Table 3 of the TACKLE paper).
"""

_base_ = './ride2_r50_inat.py'

loss = dict(
    _delete_=True,
    type='ltvl_mm.DiverseExpertLoss',
    num_classes=_base_.num_classes,
    tau=1.0,
)
model = dict(backbone=dict(num_experts=3), head=dict(num_experts=3, loss=loss))
# In place of RIDE's, which re-weights in the end.
custom_hooks = [
    dict(type='ltvl_mm.EpochSeedHook'),
    dict(type='ltvl_mm.ClassCountsHook'),
]
