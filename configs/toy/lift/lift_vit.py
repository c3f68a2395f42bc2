"""LIFT on the emoji world, in the ViT of a CLIP: adapters beside its MLPs.

Command:  python tools/train.py configs/toy/lift/lift_vit.py
Hardware: 1 CPU core, 1 minute.
Crops:    add --tta to tools/test.py
"""

_base_ = [
    '../../_base_/datasets/emoji_world.py',
    '../../_base_/models/emoji_lift.py',
    '../../_base_/default_runtime.py',
]

arch = 'ltvl-toy-vit'
pretrained = 'ltvl-toy-vit'  # its weights come with the package

model = dict(
    backbone=dict(
        backbone=dict(arch=arch, pretrained=pretrained, projection=False),
        targets=r'visual\.transformer\.resblocks\.\d+\.mlp',
        norm='ln_2',
    ),
    head=dict(arch=arch, pretrained=pretrained, projection=False),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline_clip))
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
