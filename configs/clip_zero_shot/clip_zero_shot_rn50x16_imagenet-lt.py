r"""Zero-shot CLIP ResNet-50x16 on the test list of ImageNet-LT.

Source:   the row without training of Table 4: one prompt per class.
Differs:  the paper has RN50 alone.
Command:  python tools/test.py \
              configs/clip_zero_shot/clip_zero_shot_rn50x16_imagenet-lt.py
Hardware: 1 GPU; minutes.
Expect:   the paper gives no number.
"""

_base_ = './clip_zero_shot_rn50_imagenet-lt.py'

arch = 'RN50x16-quickgelu'

model = dict(backbone=dict(arch=arch), head=dict(arch=arch))
val_dataloader = test_dataloader = _base_.clip_test_384
