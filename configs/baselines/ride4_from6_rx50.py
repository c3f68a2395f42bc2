"""RIDE: 4 experts of ResNeXt-50, distilled from 6, on ImageNet-LT.

Source:   Wang et al. 2021 (arXiv 2010.01809), and its code, which also
          multiplies both parts of the loss by the number of experts; here
          they are once. Without routing: all experts answer. The schedule is
          that of rx50.py.
Command:  tools/dist_train.sh configs/baselines/ride4_from6_rx50.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as rx50.py, twice and a half.
Expect:   56.8 overall (Table 1 of the TACKLE paper); 68.3 many, 53.5 medium,
          35.9 few, with routing (model zoo of its authors).
Before:   tools/dist_train.sh configs/baselines/ride6_rx50.py 8 --amp
"""

_base_ = './ride6_rx50.py'

teacher_checkpoint = 'work_dirs/ride6_rx50'  # its best or last, or a file

model = dict(
    type='ltvl_mm.DistilledClassifier',
    teacher=_base_.model,
    teacher_checkpoint=teacher_checkpoint,
    temperature=1.5,
    distillation_weight=1.0,
    backbone=dict(num_experts=4),
    head=dict(num_experts=4),
)
