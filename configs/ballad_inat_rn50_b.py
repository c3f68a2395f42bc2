"""BALLAD, phase B: the balanced adapter of CLIP ResNet-50 on iNaturalist 2018.

Source:   section 2.2 of the paper; the authors' code
          (config/ImageNet_LT/clip_B_rn50.yaml), _base_/ballad_official_b.py.
Differs:  the authors' code has no config for iNaturalist 2018: its settings
          for ImageNet-LT are used, and the prompt "a photo of a {species}.".
          Float32 weights (theirs: float16, updated in place); cosine without
          their early first step. The last checkpoint is tested: there is no
          val list.
Command:  tools/dist_train.sh configs/ballad_inat_rn50_b.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    a fifth of phase A; minutes from cached features.
Expect:   74.2 (Table 3).
"""

_base_ = [
    './_base_/datasets/inat18_clip.py',
    './_base_/ballad_official_b.py',
    './_base_/default_runtime.py',
]

arch = 'RN50-quickgelu'
phase_a = 'work_dirs/ballad_inat_rn50_a'  # its last checkpoint: no val list
class_names = _base_.class_names
epoch_size = 437_248  # 854 batches of 512, as in phase A

model = dict(
    backbone=dict(arch=arch, pretrained=phase_a),
    neck=dict(arch=arch),
    head=dict(arch=arch, pretrained=phase_a, class_names=class_names),
)
train_dataloader = dict(
    sampler=dict(epoch_size=epoch_size, **_base_.balanced_sampler)
)
