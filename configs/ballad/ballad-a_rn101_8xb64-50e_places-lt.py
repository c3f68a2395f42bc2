r"""BALLAD, phase A: fine-tune CLIP ResNet-101 on Places-LT.

Source:   as ballad-a_rn50_8xb64-50e_places-lt.py.
Differs:  as ballad-a_rn50_8xb64-50e_places-lt.py.
Command:  tools/dist_train.sh \
              configs/ballad/ballad-a_rn101_8xb64-50e_places-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    half of ballad-a_rn101_8xb64-50e_imagenet-lt.py: half as many images.
Expect:   the paper gives no number for phase A; after phase B 47.9 overall
          (Table 2).
"""

_base_ = './ballad-a_rn50_8xb64-50e_places-lt.py'

arch = 'RN101-quickgelu'

model = dict(backbone=dict(arch=arch), head=dict(arch=arch))
