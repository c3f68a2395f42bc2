"""TADE: three experts for three class distributions, on the emoji world.

Command:  python tools/train.py configs/toy/tade/tade_r18.py
Hardware: 1 CPU core, 2 minutes.
"""

_base_ = [
    '../cross_entropy/cross_entropy_r18.py',
    '../../_base_/models/emoji_experts.py',
]

# Of tools/analysis_tools/aggregate_experts.py: views as in training.
aggregation = dict(rate=0.1)
aggregation_views = _base_.train_pipeline

loss = dict(type='ltvl_mm.DiverseExpertLoss', num_classes=96)
model = dict(
    backbone=dict(_base_.expert_backbone, backbone=_base_.model.backbone),
    head=dict(_base_.expert_head, loss=loss),
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
# As ride_r18.py, whose experts and heads it has.
optim_wrapper = dict(optimizer=dict(lr=0.1))
