r"""ResNet-50 from CLIP's weights on ImageNet-LT alone.

Source:   the cross-entropy reference of the rows "RN50 CLIP" of Table 1 of the
          TACKLE paper.
Differs:  the protocol is not public; ours: _base_/models/rn50_clip_student.py.
Command:  tools/dist_train.sh \
    configs/cross_entropy/cross_entropy_r50-clip_8xb64-50e_imagenet-lt.py \
    8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          ballad-a_rn50_8xb64-50e_imagenet-lt.py, or less.
Expect:   the paper gives no number; tau-normalized 51.3 (Table 1).
"""

_base_ = [
    '../_base_/models/rn50_clip_student.py',
    '../_base_/datasets/clip.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/imagenet_lt.py',
]

data_preprocessor = dict(num_classes=_base_.num_classes, **_base_.clip_norm)
model = dict(head=dict(num_classes=_base_.num_classes))
train_dataloader = dict(
    sampler=dict(epoch_size=_base_.epoch_size),
    dataset=dict(pipeline=_base_.train_pipeline),
)
val_dataloader = test_dataloader = _base_.clip_test
train_cfg = dict(val_interval=5)
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))
