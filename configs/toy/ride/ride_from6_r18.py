"""RIDE: three experts, distilled from six, on the emoji world.

Command:  python tools/train.py configs/toy/ride/ride_from6_r18.py
Hardware: 1 CPU core, 3 minutes.
Before:   python tools/train.py configs/toy/ride/ride6_r18.py
"""

_base_ = './ride_r18.py'

student = _base_.model

model = dict(
    type='ltvl_mm.DistilledClassifier',
    teacher=dict(
        type=student.type,
        backbone=dict(**{**student.backbone, 'num_experts': 6}),
        neck=student.neck,
        head=dict(**{**student.head, 'num_experts': 6}),
    ),
    teacher_checkpoint='work_dirs/ride6_r18',  # folder or file
    temperature=1.5,
    distillation_weight=1.0,
)
