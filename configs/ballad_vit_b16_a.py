"""BALLAD, phase A: fine-tune CLIP ViT-B/16 on ImageNet-LT.

Source:   "Unleashing the Potential of Vision-Language Models for Long-Tailed
          Visual Recognition", sections 2.1 and 3.3; settings of the authors'
          code, _base_/ballad_official_a.py. Only RN50 on ImageNet-LT is in the
          authors' code: to use its settings here is ours.
Command:  tools/dist_train.sh configs/ballad_vit_b16_a.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    about 2 on 8 x A100, estimated, not measured.
Expect:   the paper gives no number for phase A; after phase B 75.7 overall
          (Table 1).
"""

_base_ = './ballad_rn50_a.py'

arch = 'ViT-B-16-quickgelu'

model = dict(backbone=dict(arch=arch), head=dict(arch=arch))
