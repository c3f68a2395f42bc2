r"""BALLAD, phase B: the balanced adapter of CLIP ResNet-50 on ImageNet-LT.

Source:   section 2.2 of the paper; the authors' code
          (config/ImageNet_LT/clip_B_rn50.yaml),
          _base_/models/ballad_official_b.py.
Differs:  float32 weights (theirs: float16, updated in place); cosine without
          their early first step.
Command:  tools/dist_train.sh \
              configs/ballad/ballad-b_rn50_8xb64-10e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    a fifth of phase A; minutes from cached features.
Expect:   67.2 overall (Table 1).
"""

_base_ = [
    '../_base_/models/ballad_official_b.py',
    '../_base_/datasets/clip.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/imagenet_lt.py',
]

# Its best checkpoint on val.
phase_a = 'work_dirs/ballad-a_rn50_8xb64-50e_imagenet-lt'

data_preprocessor = dict(num_classes=_base_.num_classes, **_base_.clip_norm)
model = dict(
    backbone=dict(pretrained=phase_a),
    head=dict(pretrained=phase_a, class_names=_base_.class_names),
)
train_dataloader = dict(
    # 226 batches of 512, as in phase A
    sampler=dict(epoch_size=115_712, **_base_.balanced_sampler),
    dataset=dict(pipeline=_base_.train_pipeline),
)
val_dataloader = test_dataloader = _base_.clip_test
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))
