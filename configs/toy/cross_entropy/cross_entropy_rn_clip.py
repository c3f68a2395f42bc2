r"""The ResNet of the toy CLIP as a student, with a linear classifier.

Command:  python tools/train.py \
              configs/toy/cross_entropy/cross_entropy_rn_clip.py
Hardware: 1 CPU core, 2 minutes.
"""

_base_ = [
    '../../_base_/datasets/emoji_world.py',
    '../../_base_/schedules/emoji_sgd_30e.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ltvl_mm.CLIPBackbone',
        arch='ltvl-toy',
        pretrained='ltvl-toy',
        channels_last=True,
    ),
    head=dict(
        type='LinearClsHead',
        num_classes=96,
        in_channels=128,
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
    ),
)
# A quarter of cross_entropy_r18.py's rate, since the weights are pretrained;
# see _base_/models/rn50_clip_student.py for the rest.
optim_wrapper = dict(optimizer=dict(lr=0.1), clip_grad=dict(max_norm=1.0))
