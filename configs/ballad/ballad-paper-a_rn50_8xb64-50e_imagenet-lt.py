r"""BALLAD, phase A as the paper writes it, CLIP ResNet-50 on ImageNet-LT.

Source:   section 2.1 of the paper, _base_/models/ballad_paper_a.py: that
          preset in the place of the authors' code's.
Differs:  what the paper leaves open: the temperature is learned from CLIP's,
          optimizer and epochs are those of the authors' code, in float32.
Command:  tools/dist_train.sh \
    configs/ballad/ballad-paper-a_rn50_8xb64-50e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    as ballad-a_rn50_8xb64-50e_imagenet-lt.py.
Expect:   66.1 overall (Table 4), 67.2 after phase B (Table 1).
"""

_base_ = [
    '../_base_/models/ballad_paper_a.py',
    '../_base_/datasets/clip.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/imagenet_lt.py',
]

data_preprocessor = dict(num_classes=_base_.num_classes, **_base_.clip_norm)
model = dict(head=dict(class_names=_base_.class_names))
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = test_dataloader = _base_.clip_test
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))
