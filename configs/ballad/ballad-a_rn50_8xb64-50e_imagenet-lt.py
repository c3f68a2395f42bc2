r"""BALLAD, phase A: fine-tune CLIP ResNet-50 on ImageNet-LT.

Source:   "Unleashing the Potential of Vision-Language Models for Long-Tailed
          Visual Recognition", sections 2.1 and 3.3; the authors' code
          (config/ImageNet_LT/clip_A_rn50.yaml),
          _base_/models/ballad_official_a.py.
Differs:  float32 weights (theirs: float16, updated in place); cosine without
          their early first step.
Command:  tools/dist_train.sh \
              configs/ballad/ballad-a_rn50_8xb64-50e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    about 1 on 8 x A100, estimated, not measured.
Expect:   66.1 overall, 71.3 many, 65.4 medium, 54.1 few (Table 4).
"""

_base_ = [
    '../_base_/models/ballad_official_a.py',
    '../_base_/datasets/clip.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/imagenet_lt.py',
]

data_preprocessor = dict(num_classes=_base_.num_classes, **_base_.clip_norm)
model = dict(head=dict(class_names=_base_.class_names))
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = test_dataloader = _base_.clip_test
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))
