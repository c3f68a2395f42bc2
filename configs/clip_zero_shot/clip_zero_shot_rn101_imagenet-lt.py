r"""Zero-shot CLIP ResNet-101 on the test list of ImageNet-LT.

Source:   the row without training of Table 4: one prompt per class.
Differs:  the paper has RN50 alone.
Command:  python tools/test.py \
              configs/clip_zero_shot/clip_zero_shot_rn101_imagenet-lt.py
Hardware: 1 GPU; minutes.
Expect:   the paper gives no number.
"""

_base_ = './clip_zero_shot_rn50_imagenet-lt.py'

arch = 'RN101-quickgelu'

model = dict(backbone=dict(arch=arch), head=dict(arch=arch))
