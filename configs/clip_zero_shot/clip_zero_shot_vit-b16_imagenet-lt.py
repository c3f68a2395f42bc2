r"""Zero-shot CLIP ViT-B/16 on the test list of ImageNet-LT.

Source:   the row without training of Table 4: one prompt per class.
Differs:  the paper has RN50 alone.
Command:  python tools/test.py \
              configs/clip_zero_shot/clip_zero_shot_vit-b16_imagenet-lt.py
Hardware: 1 GPU; minutes.
Expect:   the paper gives no number.
"""

_base_ = './clip_zero_shot_rn50_imagenet-lt.py'

arch = 'ViT-B-16-quickgelu'

model = dict(backbone=dict(arch=arch), head=dict(arch=arch))
