"""LIFT on the emoji world with prompts (VPT-deep) in place of adapters.

Command:  python tools/train.py configs/toy/lift/lift_vpt.py
Hardware: 1 CPU core, 1 minute.
"""

_base_ = './lift_vit.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='ltvl_mm.PromptedBackbone',
        backbone=_base_.model.backbone.backbone,
        targets=r'visual\.transformer\.resblocks\.\d+',
    )
)
