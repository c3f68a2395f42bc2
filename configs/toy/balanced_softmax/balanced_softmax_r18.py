r"""Balanced softmax: logit adjustment with tau = 1, on the emoji world.

Command:  python tools/train.py \
              configs/toy/balanced_softmax/balanced_softmax_r18.py
Hardware: 1 CPU core, 1 minute.
"""

_base_ = [
    '../../_base_/datasets/emoji_world.py',
    '../../_base_/models/emoji_r18.py',
    '../../_base_/schedules/emoji_sgd_30e.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    head=dict(
        loss=dict(
            _delete_=True, type='ltvl_mm.LogitAdjustedLoss', num_classes=96
        )
    )
)
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='ltvl_mm.ChannelsLastHook'),
    dict(type='ltvl_mm.ClassCountsHook'),
]
