"""BALLAD, phase B: the balanced adapter of CLIP ViT-B/16 on ImageNet-LT.

Source:   section 2.2 of the paper; the authors' code
          (config/ImageNet_LT/clip_B_rn50.yaml), _base_/ballad_official_b.py.
Differs:  the authors' code has no config for this model: its settings for RN50
          are used. Float32 weights (theirs: float16, updated in place); cosine
          without their early first step.
Command:  tools/dist_train.sh configs/ballad_vit_b16_b.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    a fifth of phase A; minutes from cached features.
Expect:   75.7 overall (Table 1).
"""

_base_ = './ballad_rn50_b.py'

arch = 'ViT-B-16-quickgelu'
phase_a = 'work_dirs/ballad_vit_b16_a'  # its best checkpoint on val

model = dict(
    backbone=dict(arch=arch, pretrained=phase_a),
    neck=dict(arch=arch),
    head=dict(arch=arch, pretrained=phase_a),
)
