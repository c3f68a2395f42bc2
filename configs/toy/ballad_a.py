"""BALLAD, phase A on the toy world: fine-tune both towers of its CLIP.

Command:  python tools/train.py configs/toy/ballad_a.py
Hardware: 2 CPU cores, 1 minute.
Before:   python tools/train.py configs/toy/clip.py
"""

_base_ = [
    '../_base_/datasets/toy_world.py',
    '../_base_/ballad_official_a.py',
    '../_base_/toy_runtime.py',
]

arch = 'ltvl-toy'
pretrained = '{{$LTVL_TOY_CLIP:work_dirs/clip/epoch_5.pth}}'
class_names = _base_.data_root + '/class_names.txt'
max_epochs = 5

model = dict(
    backbone=dict(arch=arch, pretrained=pretrained),
    # Our CLIP was trained briefly and has not reached a scale of 100.
    head=dict(
        arch=arch,
        pretrained=pretrained,
        class_names=class_names,
        logit_scale='frozen',
    ),
)

# Rate and epochs are ours, for the toy world: chosen on val, at seed 0.
optim_wrapper = dict(optimizer=dict(lr=1e-4))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=max_epochs)]
train_cfg = dict(max_epochs=max_epochs, val_interval=5)
val_cfg = dict()
test_cfg = dict()
