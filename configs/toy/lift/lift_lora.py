"""LIFT on the emoji world with LoRA in place of adapters.

Command:  python tools/train.py configs/toy/lift/lift_lora.py
Hardware: 1 CPU core, 1 minute.
"""

_base_ = [
    '../../_base_/models/lift_variants.py',
    './lift_vit.py',
]

model = dict(
    backbone=dict(
        _base_.lora, backbone=_base_.model.backbone.backbone, rank=16
    )
)
