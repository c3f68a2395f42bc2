r"""BALLAD, phase B: the balanced adapter of CLIP ResNet-101 on ImageNet-LT.

Source:   as ballad-b_rn50_8xb64-10e_imagenet-lt.py.
Differs:  as ballad-b_rn50_8xb64-10e_imagenet-lt.py; the authors' code
          has no config for this model, its settings for RN50 are used.
Command:  tools/dist_train.sh \
              configs/ballad/ballad-b_rn101_8xb64-10e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    a fifth of phase A; minutes from cached features.
Expect:   70.5 overall (Table 1).
"""

_base_ = './ballad-b_rn50_8xb64-10e_imagenet-lt.py'

arch = 'RN101-quickgelu'
# Its best checkpoint on val.
phase_a = 'work_dirs/ballad-a_rn101_8xb64-50e_imagenet-lt'

model = dict(
    backbone=dict(arch=arch, pretrained=phase_a),
    neck=dict(arch=arch),
    head=dict(arch=arch, pretrained=phase_a),
)
