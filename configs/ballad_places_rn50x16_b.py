"""BALLAD, phase B: the balanced adapter of CLIP ResNet-50x16 on Places-LT.

Source:   as ballad_rn50_b.py. Nothing is public of Places-LT: that the
          settings are those of ImageNet-LT is ours.
Command:  tools/dist_train.sh configs/ballad_places_rn50x16_b.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    half of ballad_rn50x16_b.py: half as many images.
Expect:   49.3 overall (Table 2).
"""

_base_ = [
    './ballad_places_rn50_b.py',
    './_base_/datasets/clip_384.py',
]

arch = 'RN50x16-quickgelu'
phase_a = 'work_dirs/ballad_places_rn50x16_a'  # its best checkpoint on val

model = dict(
    backbone=dict(arch=arch, pretrained=phase_a),
    neck=dict(dim=768),
    head=dict(arch=arch, pretrained=phase_a),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline_384))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline_384))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline_384))
