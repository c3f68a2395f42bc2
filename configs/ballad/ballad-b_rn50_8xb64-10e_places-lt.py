r"""BALLAD, phase B: the balanced adapter of CLIP ResNet-50 on Places-LT.

Source:   section 2.2 of the paper; the authors' code
          (config/ImageNet_LT/clip_B_rn50.yaml),
          _base_/models/ballad_official_b.py.
Differs:  the authors' code has no config for Places-LT: its settings for RN50
          on ImageNet-LT are used. Float32 weights (theirs: float16, updated in
          place); cosine without their early first step.
Command:  tools/dist_train.sh \
              configs/ballad/ballad-b_rn50_8xb64-10e_places-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    half of ballad-b_rn50_8xb64-10e_imagenet-lt.py: half as many images.
Expect:   46.5 overall (Table 2).
"""

_base_ = [
    '../_base_/models/ballad_official_b.py',
    '../_base_/datasets/clip.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/places_lt.py',
]

# Its best checkpoint on val.
phase_a = 'work_dirs/ballad-a_rn50_8xb64-50e_places-lt'

data_preprocessor = dict(num_classes=_base_.num_classes, **_base_.clip_norm)
model = dict(
    backbone=dict(pretrained=phase_a),
    head=dict(pretrained=phase_a, class_names=_base_.class_names),
)
train_dataloader = dict(
    # 122 batches of 512, as in phase A
    sampler=dict(epoch_size=62_464, **_base_.balanced_sampler),
    dataset=dict(pipeline=_base_.train_pipeline),
)
val_dataloader = test_dataloader = _base_.clip_test
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))
