"""RIDE: three experts, distilled from six, on the toy world.

Command:  python tools/train.py configs/toy/baselines/ride_from6.py
Hardware: 2 CPU cores, 4 minutes.
Before:   python tools/train.py configs/toy/baselines/ride6.py
"""

_base_ = './ride6.py'

teacher_checkpoint = '{{$LTVL_TOY_TEACHER:work_dirs/ride6}}'

model = dict(
    type='ltvl_mm.DistilledClassifier',
    teacher=_base_.model,
    teacher_checkpoint=teacher_checkpoint,
    temperature=1.5,
    distillation_weight=1.0,
    backbone=dict(num_experts=3),
    head=dict(num_experts=3),
)
