"""Balanced softmax: ResNeXt-101 on ImageNet-LT.

Source:   Ren et al. 2020 (arXiv 2007.10740); the schedule is that of
          rx101.py, so that only the loss differs.
Command:  tools/dist_train.sh configs/baselines/balanced_softmax_rx101.py 8
Hardware: 8 GPUs of 24 GB or more; hours as rx101.py.
Expect:   58.0 overall in Table 1 of the TACKLE paper, after other and
          longer schedules; ours is not measured.
"""

_base_ = './balanced_softmax_rx50.py'

model = dict(backbone=dict(depth=101))
