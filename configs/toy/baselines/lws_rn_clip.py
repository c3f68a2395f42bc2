"""LWS after the toy world's CLIP as a student: lengths of the classes anew.

Command:  python tools/train.py configs/toy/baselines/lws_rn_clip.py
Hardware: 2 CPU cores, 1 minute.
Before:   python tools/train.py configs/toy/rn_clip.py
"""

_base_ = '../rn_clip.py'

stage_1 = '{{$LTVL_TOY_CLIP_STAGE_1:work_dirs/rn_clip}}'
max_epochs = 3  # after the first stage's 10

model = dict(
    type='ltvl_mm.DecoupledClassifier',
    stage_1=stage_1,
    kept=['backbone', 'head.fc'],
    head=dict(type='ltvl_mm.LWSClsHead'),
    backbone=dict(pretrained=None),
)
train_dataloader = dict(
    sampler=dict(
        _delete_=True, type='ltvl_mm.ClassBalancedSampler', epoch_size=4480
    )
)
param_scheduler = [
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, convert_to_iter_based=True
    )
]
train_cfg = dict(max_epochs=max_epochs, val_interval=3)
