"""BALLAD, phase B: the balanced adapter of CLIP ResNet-101 on Places-LT.

Source:   as ballad_rn50_b.py. Nothing is public of Places-LT: that the
          settings are those of ImageNet-LT is ours.
Command:  tools/dist_train.sh configs/ballad_places_rn101_b.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    half of ballad_rn101_b.py: half as many images.
Expect:   47.9 overall (Table 2).
"""

_base_ = './ballad_places_rn50_b.py'

arch = 'RN101-quickgelu'
phase_a = 'work_dirs/ballad_places_rn101_a'  # its best checkpoint on val

model = dict(
    backbone=dict(arch=arch, pretrained=phase_a),
    neck=dict(dim=512),
    head=dict(arch=arch, pretrained=phase_a),
)
