"""PaCo: momentum encoder, queue, classes among the contrasted; toy world.

Command:  python tools/train.py configs/toy/baselines/paco.py
Hardware: 2 CPU cores, 3 minutes.
"""

_base_ = '../rx.py'

model = dict(
    type='ltvl_mm.PaCoClassifier',
    queue_size=1024,
    head=dict(
        loss=dict(_delete_=True, type='ltvl_mm.PaCoLoss', num_classes=96)
    ),
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(
                type='MultiView',
                num_views=2,
                transforms=[_base_.train_pipeline[1:-1]],
            ),
            dict(type='PackInputs'),
        ]
    )
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
