r"""LIFT: LoRA in place of adapters in CLIP ViT-B/16, on ImageNet-LT.

Source:   Shi et al. 2024 (arXiv 2309.10019), Table 6, and its code
          (scripts/run_tab6_peft_methods.sh); all else is as in
          lift_vit-b16_1xb128-10e_imagenet-lt.py. Not in the TACKLE paper.
Differs:  as lift_vit-b16_1xb128-10e_imagenet-lt.py.
Command:  tools/dist_train.sh \
              configs/lift/lift-lora_vit-b16_1xb128-10e_imagenet-lt.py 1 --amp
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
        _base_.lora, backbone=_base_.model.backbone.backbone, rank=32
    )
)
