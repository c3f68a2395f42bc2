"""BALLAD, phase B on the toy world: the balanced adapter alone.

Command:  python tools/train.py configs/toy/ballad_b.py
Hardware: 2 CPU cores, 1 minute.
Before:   python tools/train.py configs/toy/ballad_a.py
"""

_base_ = [
    '../_base_/datasets/toy_world.py',
    '../_base_/ballad_official_b.py',
    '../_base_/toy_runtime.py',
]

arch = 'ltvl-toy'
phase_a = '{{$LTVL_TOY_PHASE_A:work_dirs/ballad_a/epoch_10.pth}}'
class_names = _base_.data_root + '/class_names.txt'
max_epochs = 10

model = dict(
    backbone=dict(arch=arch, pretrained=phase_a),
    neck=dict(dim=128),
    head=dict(
        arch=arch,
        pretrained=phase_a,
        class_names=class_names,
        logit_scale='frozen',
    ),
)
train_dataloader = dict(
    sampler=dict(epoch_size=4480, **_base_.balanced_sampler)
)

# The rate is chosen for the toy world.
optim_wrapper = dict(optimizer=dict(lr=0.2))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=max_epochs)]
train_cfg = dict(max_epochs=max_epochs, val_interval=5)
val_cfg = dict()
test_cfg = dict()
