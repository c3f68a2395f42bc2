r"""BALLAD, phase B: the balanced adapter of CLIP ResNet-50x16 on Places-LT.

Source:   as ballad-b_rn50_8xb64-10e_places-lt.py.
Differs:  as ballad-b_rn50_8xb64-10e_places-lt.py.
Command:  tools/dist_train.sh \
              configs/ballad/ballad-b_rn50x16_8xb64-10e_places-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    half of ballad-b_rn50x16_8xb64-10e_imagenet-lt.py: half as many
          images.
Expect:   49.3 overall (Table 2).
"""

_base_ = './ballad-b_rn50_8xb64-10e_places-lt.py'

arch = 'RN50x16-quickgelu'
# Its best checkpoint on val.
phase_a = 'work_dirs/ballad-a_rn50x16_8xb64-50e_places-lt'

model = dict(
    backbone=dict(arch=arch, pretrained=phase_a),
    neck=dict(arch=arch),
    head=dict(arch=arch, pretrained=phase_a),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline_384))
val_dataloader = test_dataloader = _base_.clip_test_384
