"""LIFT on the emoji world with LoRA in place of adapters.

Command:  python tools/train.py configs/toy/lift/lift_lora.py
Hardware: 1 CPU core, 1 minute.
"""

_base_ = './lift_vit.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='ltvl_mm.LoRABackbone',
        backbone=_base_.model.backbone.backbone,
        targets=r'visual\.transformer\.resblocks\.\d+\.attn',
        rank=16,
    )
)
