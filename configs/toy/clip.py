"""Pre-train the toy world's CLIP on its caption corpus.

Command:  python tools/train.py configs/toy/clip.py
Hardware: 2 CPU cores, 70 seconds.
Expect:   about 70 % zero-shot over 96 classes (configs/toy/clip_zero_shot.py).
"""

_base_ = '../_base_/toy_runtime.py'

data_root = '{{$LTVL_TOY_ROOT:data/toy}}'
arch = 'ltvl-toy'
max_epochs = 5

model = dict(
    type='ImageClassifier',
    data_preprocessor=dict(
        # CLIP's own numbers, times 255.
        mean=[122.7709383, 116.7460125, 104.09373615],
        std=[68.5005327, 66.6321579, 70.32316305],
        to_rgb=True,
    ),
    # From random weights, so BatchNorm has to learn its statistics.
    backbone=dict(type='ltvl_mm.CLIPBackbone', arch=arch, freeze_bn=False),
    head=dict(type='ltvl_mm.CLIPContrastiveHead', arch=arch),
)

train_dataloader = dict(
    batch_size=128,
    num_workers=1,
    persistent_workers=False,
    worker_init_fn=dict(type='ltvl_mm.seed_worker'),
    collate_fn=dict(type='default_collate'),
    drop_last=True,
    sampler=dict(type='ltvl_mm.FixedEpochSampler'),
    dataset=dict(
        type='mmpretrain.datasets.BaseDataset',
        data_root=data_root,
        ann_file='corpus.json',
        data_prefix=dict(img_path='images/corpus'),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(
                type='RandomResizedCrop', scale=32, crop_ratio_range=(0.7, 1.0)
            ),
            dict(type='PackInputs', meta_keys=('img_path', 'caption')),
        ],
    ),
)
train_cfg = dict(by_epoch=True, max_epochs=max_epochs)

optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.05),
    clip_grad=dict(max_norm=1.0),
)
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
