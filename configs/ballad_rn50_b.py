"""BALLAD, phase B: the balanced adapter of CLIP ResNet-50 on ImageNet-LT.

Source:   section 2.2 of the paper; the authors' code
          (config/ImageNet_LT/clip_B_rn50.yaml), _base_/ballad_official_b.py.
Differs:  float32 weights (theirs: float16, updated in place); cosine without
          their early first step.
Command:  tools/dist_train.sh configs/ballad_rn50_b.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    a fifth of phase A; minutes from cached features.
Expect:   67.2 overall (Table 1).
"""

_base_ = [
    './_base_/datasets/imagenet_lt_clip.py',
    './_base_/ballad_official_b.py',
    './_base_/default_runtime.py',
]

arch = 'RN50-quickgelu'
phase_a = 'work_dirs/ballad_rn50_a'  # its best checkpoint on val
class_names = _base_.class_names
epoch_size = 115_712  # 226 batches of 512, as in phase A

model = dict(
    backbone=dict(arch=arch, pretrained=phase_a),
    neck=dict(arch=arch),
    head=dict(arch=arch, pretrained=phase_a, class_names=class_names),
)
train_dataloader = dict(
    sampler=dict(epoch_size=epoch_size, **_base_.balanced_sampler)
)
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))
