"""Balanced softmax: ResNeXt-101 on ImageNet-LT.

Source:   Ren et al. 2020 (arXiv 2007.10740); the schedule is that of
          rx101.py, so that only the loss differs.
Command:  tools/dist_train.sh configs/baselines/balanced_softmax_rx101.py 8
Hardware: 8 GPUs of 24 GB or more; hours as rx101.py.
Expect:   58.0 overall in Table 1 of the TACKLE paper, after other and
          longer schedules; ours is not measured.
"""

_base_ = '../rx101.py'

model = dict(
    head=dict(
        loss=dict(
            _delete_=True,
            type='ltvl_mm.LogitAdjustedLoss',
            num_classes=_base_.num_classes,
        )
    )
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
