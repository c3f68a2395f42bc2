r"""Balanced softmax: ResNet-152 on Places-LT.

Source:   Ren et al. 2020 (arXiv 2007.10740); the schedule is that of
          r152_places.py, so that only the loss differs.
Command:  tools/dist_train.sh \
              configs/baselines/balanced_softmax_r152_places.py 8
Hardware: 8 GPUs of 24 GB or more; hours as r152_places.py.
Expect:   38.6 overall in Table 2 of the TACKLE paper, after other and
          longer schedules; ours is not measured.
"""

_base_ = '../r152_places.py'

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
