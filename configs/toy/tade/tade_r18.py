"""TADE: three experts for three class distributions, on the emoji world.

Command:  python tools/train.py configs/toy/tade/tade_r18.py
Hardware: 1 CPU core, 2 minutes.
"""

_base_ = '../cross_entropy/cross_entropy_r18.py'

# Of tools/analysis_tools/aggregate_experts.py: views as in training.
aggregation = dict(rate=0.1)
aggregation_views = _base_.train_pipeline

model = dict(
    backbone=dict(
        _delete_=True,
        type='ltvl_mm.ExpertResNet',
        backbone=_base_.model.backbone,
        num_experts=3,
        shared_stages=1,
    ),
    head=dict(
        _delete_=True,
        type='ltvl_mm.ExpertClsHead',
        num_classes=96,
        in_channels=96,
        num_experts=3,
        loss=dict(type='ltvl_mm.DiverseExpertLoss', num_classes=96),
    ),
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
