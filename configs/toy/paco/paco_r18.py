"""PaCo: a momentum encoder, a queue, contrasted classes; emoji world.

Command:  python tools/train.py configs/toy/paco/paco_r18.py
Hardware: 1 CPU core, 2 minutes.
"""

_base_ = [
    '../../_base_/datasets/emoji_world.py',
    '../../_base_/models/emoji_r18.py',
    '../../_base_/schedules/emoji_sgd_30e.py',
    '../../_base_/default_runtime.py',
]

loss = dict(type='ltvl_mm.PaCoLoss', num_classes=96)
model = dict(
    type='ltvl_mm.PaCoClassifier',
    queue_size=1024,
    head=dict(loss=dict(_delete_=True, **loss)),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.two_views))
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='ltvl_mm.ChannelsLastHook'),
    dict(type='ltvl_mm.ClassCountsHook'),
]
