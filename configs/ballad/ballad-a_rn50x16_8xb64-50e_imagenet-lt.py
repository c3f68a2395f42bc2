r"""BALLAD, phase A: fine-tune CLIP ResNet-50x16 on ImageNet-LT.

Source:   as ballad-a_rn50_8xb64-50e_imagenet-lt.py.
Differs:  as ballad-a_rn50_8xb64-50e_imagenet-lt.py; the authors' code
          has no config for this model, its settings for RN50 are used.
          The images have 384 px, as CLIP was trained.
Command:  tools/dist_train.sh \
              configs/ballad/ballad-a_rn50x16_8xb64-50e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    about 8 on 8 x A100, estimated, not measured.
Expect:   the paper gives no number for phase A; after phase B 76.5 overall
          (Table 1).
"""

_base_ = './ballad-a_rn50_8xb64-50e_imagenet-lt.py'

arch = 'RN50x16-quickgelu'

model = dict(backbone=dict(arch=arch), head=dict(arch=arch))
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline_384))
val_dataloader = test_dataloader = _base_.clip_test_384
