"""LIFT on the emoji world: adapters in the ResNet of the toy CLIP.

Command:  python tools/train.py configs/toy/lift/lift_rn_clip.py
Hardware: 1 CPU core, 1 minute.
Crops:    add --tta to tools/test.py
"""

_base_ = [
    '../../_base_/datasets/emoji_world.py',
    '../../_base_/models/emoji_lift.py',
    '../../_base_/default_runtime.py',
]

arch = 'ltvl-toy'
pretrained = 'ltvl-toy'  # its weights come with the package

model = dict(
    backbone=dict(
        backbone=dict(arch=arch, pretrained=pretrained, channels_last=True),
        # The toy CLIP has a ResNet; a ViT's are ...resblocks.N.mlp.
        targets=r'visual\.layer\d\.\d\.conv3',
    ),
    head=dict(arch=arch, pretrained=pretrained),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline_clip))
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
