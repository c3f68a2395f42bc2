"""Balanced softmax: ResNeXt-50 on ImageNet-LT.

Source:   Ren et al. 2020 (arXiv 2007.10740); the schedule is that of
          rx50.py, so that only the loss differs.
Command:  tools/dist_train.sh configs/baselines/balanced_softmax_rx50.py 8
Hardware: 8 GPUs of 24 GB or more; hours as rx50.py.
Expect:   56.2 overall in Table 1 of the TACKLE paper, after other and
          longer schedules; ours is not measured.
"""

_base_ = '../rx50.py'

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
