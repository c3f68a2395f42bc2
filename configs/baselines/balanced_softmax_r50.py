"""Balanced softmax: ResNet-50 on ImageNet-LT.

Source:   Ren et al. 2020 (arXiv 2007.10740); the schedule is that of
          r50.py, so that only the loss differs.
Command:  tools/dist_train.sh configs/baselines/balanced_softmax_r50.py 8
Hardware: 8 GPUs of 24 GB or more; hours as r50.py.
Expect:   55.0 overall in Table 1 of the TACKLE paper, after other and
          longer schedules; ours is not measured.
"""

_base_ = './balanced_softmax_rx50.py'

model = dict(backbone=dict(_delete_=True, type='ResNet', depth=50))
