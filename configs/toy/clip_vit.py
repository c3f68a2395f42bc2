"""Give the toy world's CLIP a small ViT for images, on its caption corpus.

A ViT that learns together with its text tower sees no shapes for thousands of
steps; that of clip.py knows what to look for.

Command:  python tools/train.py configs/toy/clip_vit.py
Hardware: 2 CPU cores, 2 minutes.
Before:   python tools/train.py configs/toy/clip.py
Expect:   55 to 60 % zero-shot over 96 classes.
"""

_base_ = './clip.py'

max_epochs = 8

model = dict(
    backbone=dict(arch='ltvl-toy-vit'),
    # Of equal text towers, so that the checkpoint is one of ltvl-toy-vit.
    head=dict(
        arch='ltvl-toy',
        pretrained='{{$LTVL_TOY_CLIP:work_dirs/clip/epoch_5.pth}}',
    ),
)
train_dataloader = dict(batch_size=64)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.05, end=1, convert_to_iter_based=True
    ),
    dict(
        type='CosineAnnealingLR',
        begin=1,
        end=max_epochs,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(max_epochs=max_epochs)
