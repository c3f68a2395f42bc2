r"""BALLAD, phase A: fine-tune CLIP ViT-B/16 on ImageNet-LT.

Source:   as ballad-a_rn50_8xb64-50e_imagenet-lt.py.
Differs:  as ballad-a_rn50_8xb64-50e_imagenet-lt.py; the authors' code
          has no config for this model, its settings for RN50 are used.
Command:  tools/dist_train.sh \
              configs/ballad/ballad-a_vit-b16_8xb64-50e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    about 2 on 8 x A100, estimated, not measured.
Expect:   the paper gives no number for phase A; after phase B 75.7 overall
          (Table 1).
"""

_base_ = './ballad-a_rn50_8xb64-50e_imagenet-lt.py'

arch = 'ViT-B-16-quickgelu'

model = dict(backbone=dict(arch=arch), head=dict(arch=arch))
