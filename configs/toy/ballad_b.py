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
phase_a = '{{$LTVL_TOY_PHASE_A:work_dirs/ballad_a/epoch_5.pth}}'
class_names = _base_.data_root + '/class_names.txt'

model = dict(
    backbone=dict(arch=arch, pretrained=phase_a),
    neck=dict(arch=arch),
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

# Rate and epochs are the code's.
train_cfg = dict(val_interval=5)
val_cfg = dict()
test_cfg = dict()
