"""The ResNet of the toy world's CLIP as a student, with a linear classifier.

Command:  python tools/train.py configs/toy/rn_clip.py
Hardware: 2 CPU cores, 1 minute.
Before:   python tools/train.py configs/toy/clip.py
"""

_base_ = ['../_base_/datasets/toy_world.py', '../_base_/toy_runtime.py']

max_epochs = 10  # as rx.py

model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ltvl_mm.CLIPBackbone',
        arch='ltvl-toy',
        pretrained='{{$LTVL_TOY_CLIP:work_dirs/clip/epoch_5.pth}}',
    ),
    head=dict(
        type='LinearClsHead',
        num_classes=96,
        in_channels=128,
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
    ),
)

# The rate is that of rx.py; see _base_/rn50_clip_student.py for the rest.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, convert_to_iter_based=True
    )
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=5)
val_cfg = dict()
test_cfg = dict()
