"""BALLAD, phase B on the emoji world: the balanced adapter alone.

Command:  python tools/train.py configs/toy/ballad/ballad_b.py
Hardware: 1 CPU core, 1 minute.
Before:   python tools/train.py configs/toy/ballad/ballad_a.py
"""

_base_ = [
    '../../_base_/datasets/emoji_world.py',
    '../../_base_/models/ballad_official_b.py',
    '../../_base_/default_runtime.py',
]

arch = 'ltvl-toy'
phase_a = 'work_dirs/ballad_a/epoch_5.pth'

model = dict(
    backbone=dict(arch=arch, pretrained=phase_a, channels_last=True),
    neck=dict(arch=arch),
    head=dict(
        arch=arch,
        pretrained=phase_a,
        class_names=_base_.data_root + '/class_names.txt',
        logit_scale='frozen',
    ),
)
train_dataloader = dict(
    sampler=dict(epoch_size=4800, **_base_.balanced_sampler),
    dataset=dict(pipeline=_base_.train_pipeline_clip),
)

# Epochs and learning rate are the code's: 0.2 for batches of 512.
optim_wrapper = dict(
    type='ltvl_mm.BFloat16OptimWrapper', optimizer=dict(lr=0.025)
)
auto_scale_lr = dict(base_batch_size=64)
train_cfg = dict(val_interval=10)
val_cfg = dict()
test_cfg = dict()
