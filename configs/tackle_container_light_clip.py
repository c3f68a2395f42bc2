"""TACKLE's CONTAINER-Light and zero-shot CLIP ResNet-50, answering as one.

Source:   Table 7 of the TACKLE paper.
Differs:  CLIP, weights and scale are not public: choose them on val with
          tools/analysis_tools/tune_ensemble.py, or let tools/reproduce.py
          --table 7 do all of it.
Command:  python tools/test.py configs/tackle_container_light_clip.py
Hardware: 1 GPU; minutes.
Expect:   78.8 many, 65.5 medium, 55.9 few, 69.3 overall (Table 7).
Before:   tools/dist_train.sh configs/tackle_container_light.py 8 --amp
"""

_base_ = './tackle_deit_s_clip.py'

student = 'work_dirs/tackle_container_light'

container = dict(
    type='ImageClassifier',
    backbone=dict(type='ltvl_mm.CONTAINER', arch='light'),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead', num_classes=_base_.num_classes, in_channels=512
    ),
)
model = dict(
    members=dict(student=dict(_delete_=True, **container)),
    checkpoints=dict(student=student),
)
