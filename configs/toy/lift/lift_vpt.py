"""LIFT on the emoji world with prompts (VPT-deep) in place of adapters.

Command:  python tools/train.py configs/toy/lift/lift_vpt.py
Hardware: 1 CPU core, 1 minute.
"""

_base_ = [
    '../../_base_/models/lift_variants.py',
    './lift_vit.py',
]

model = dict(
    backbone=dict(_base_.prompts, backbone=_base_.model.backbone.backbone)
)
