"""LIFT on the toy world with LoRA in place of adapters.

Command:  python tools/train.py configs/toy/baselines/lift_lora.py
Hardware: 2 CPU cores, 1 minute.
Before:   python tools/train.py configs/toy/clip.py, then clip_vit.py
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
