r"""LIFT: prompts in place of adapters in CLIP ViT-B/16, on ImageNet-LT.

Source:   as lift-lora_vit-b16_1xb128-10e_imagenet-lt.py, the next row of the
          same table.
Differs:  as lift_vit-b16_1xb128-10e_imagenet-lt.py.
Command:  tools/dist_train.sh \
              configs/lift/lift-vpt_vit-b16_1xb128-10e_imagenet-lt.py 1 --amp
Hardware: 1 GPU of 24 GB or more; hours as
          lift_vit-b16_1xb128-10e_imagenet-lt.py.
Expect:   ours is not measured.
"""

_base_ = [
    '../_base_/models/lift_variants.py',
    './lift_vit-b16_1xb128-10e_imagenet-lt.py',
]

model = dict(
    backbone=dict(
        _base_.prompts, backbone=_base_.model.backbone.backbone, length=10
    )
)
