r"""LWS after the toy CLIP as a student: lengths of the classes anew.

Command:  python tools/train.py configs/toy/lws/lws_rn_clip.py
Hardware: 1 CPU core, 1 minute.
Before:   python tools/train.py \
              configs/toy/cross_entropy/cross_entropy_rn_clip.py
"""

_base_ = '../cross_entropy/cross_entropy_rn_clip.py'

max_epochs = 9  # after the first stage's 30

model = dict(
    type='ltvl_mm.DecoupledClassifier',
    stage_1='work_dirs/cross_entropy_rn_clip',  # folder of the first stage
    kept=['backbone', 'head.fc'],
    head=dict(type='ltvl_mm.LWSClsHead'),
    backbone=dict(pretrained=None),
)
train_dataloader = dict(
    sampler=dict(
        _delete_=True, type='ltvl_mm.ClassBalancedSampler', epoch_size=3200
    )
)
param_scheduler = [
    dict(
        type='CosineAnnealingLR',
        end=max_epochs,
        convert_to_iter_based=True,
    )
]
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
