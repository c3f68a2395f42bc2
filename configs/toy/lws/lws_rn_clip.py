r"""LWS after the toy CLIP as a student: lengths of the classes anew.

Command:  python tools/train.py configs/toy/lws/lws_rn_clip.py
Hardware: 1 CPU core, 1 minute.
Before:   python tools/train.py \
              configs/toy/cross_entropy/cross_entropy_rn_clip.py
"""

_base_ = '../cross_entropy/cross_entropy_rn_clip.py'

max_epochs = _base_.second_stage_epochs

model = dict(
    type='ltvl_mm.DecoupledClassifier',
    stage_1='work_dirs/cross_entropy_rn_clip',  # folder of the first stage
    kept=['backbone', 'head.fc'],
    head=dict(type='ltvl_mm.LWSClsHead'),
    backbone=dict(pretrained=None),
)
train_dataloader = _base_.class_balanced
param_scheduler = _base_.second_stage_scheduler
train_cfg = _base_.second_stage_cfg
