"""LIFT on the toy world, in the ViT of a CLIP: adapters beside its MLPs.

Command:  python tools/train.py configs/toy/baselines/lift_vit.py
Hardware: 2 CPU cores, 1 minute.
Before:   python tools/train.py configs/toy/clip.py, then clip_vit.py
"""

_base_ = './lift.py'

arch = 'ltvl-toy-vit'
pretrained = '{{$LTVL_TOY_CLIP_VIT:work_dirs/clip_vit/epoch_8.pth}}'

model = dict(
    backbone=dict(
        backbone=dict(arch=arch, pretrained=pretrained, projection=False),
        targets=r'visual\.transformer\.resblocks\.\d+\.mlp',
        norm='ln_2',
    ),
    head=dict(arch=arch, pretrained=pretrained, projection=False),
)
