r"""BALLAD, phase A: fine-tune CLIP ResNet-50x16 on Places-LT.

Source:   as ballad-a_rn50_8xb64-50e_places-lt.py.
Differs:  as ballad-a_rn50_8xb64-50e_places-lt.py.
Command:  tools/dist_train.sh \
              configs/ballad/ballad-a_rn50x16_8xb64-50e_places-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    half of ballad-a_rn50x16_8xb64-50e_imagenet-lt.py: half as many
          images.
Expect:   the paper gives no number for phase A; after phase B 49.3 overall
          (Table 2).
"""

_base_ = './ballad-a_rn50_8xb64-50e_places-lt.py'

arch = 'RN50x16-quickgelu'

model = dict(backbone=dict(arch=arch), head=dict(arch=arch))
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline_384))
val_dataloader = test_dataloader = _base_.clip_test_384
