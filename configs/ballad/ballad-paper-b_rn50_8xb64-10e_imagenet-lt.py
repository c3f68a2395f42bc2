r"""BALLAD, phase B as the paper writes it, CLIP ResNet-50 on ImageNet-LT.

Source:   section 2.2 of the paper, _base_/models/ballad_paper_b.py: that
          preset in the place of the authors' code's.
Differs:  what the paper leaves open: lambda, optimizer and epochs are those of
          the authors' code, in float32; the temperature is that of phase A.
Command:  tools/dist_train.sh \
    configs/ballad/ballad-paper-b_rn50_8xb64-10e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    as ballad-b_rn50_8xb64-10e_imagenet-lt.py.
Expect:   67.2 overall (Table 1).
"""

_base_ = [
    '../_base_/models/ballad_paper_b.py',
    '../_base_/datasets/clip.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/imagenet_lt.py',
]

# Its best checkpoint on val.
phase_a = 'work_dirs/ballad-paper-a_rn50_8xb64-50e_imagenet-lt'

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
