"""PaCo with the toy CLIP as a student, on the emoji world.

Command:  python tools/train.py configs/toy/paco/paco_rn_clip.py
Hardware: 1 CPU core, 3 minutes.
"""

_base_ = '../cross_entropy/cross_entropy_rn_clip.py'

loss = dict(type='ltvl_mm.PaCoLoss', num_classes=96)
model = dict(
    type='ltvl_mm.PaCoClassifier',
    queue_size=1024,
    head=dict(loss=dict(_delete_=True, **loss)),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.two_views))
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
