"""BALLAD, phase A: fine-tune CLIP ResNet-50x16 on Places-LT.

Source:   as ballad_rn50_a.py. Nothing is public of Places-LT: that the
          settings are those of ImageNet-LT is ours.
Command:  tools/dist_train.sh configs/ballad_places_rn50x16_a.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    half of ballad_rn50x16_a.py: half as many images.
Expect:   the paper gives no number for phase A; after phase B 49.3 overall
          (Table 2).
"""

_base_ = [
    './ballad_places_rn50_a.py',
    './_base_/datasets/clip_384.py',
]

arch = 'RN50x16-quickgelu'

model = dict(backbone=dict(arch=arch), head=dict(arch=arch))
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline_384))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline_384))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline_384))
