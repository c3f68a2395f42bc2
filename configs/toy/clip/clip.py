"""Train the CLIP of the emoji world on captioned images drawn on the fly.

Command:  python tools/train.py configs/toy/clip/clip.py
Hardware: 1 CPU core with AMX, 20 minutes if nothing else runs on it.
Expect:   79 % zero-shot (../clip_zero_shot/clip_zero_shot.py); these weights
          come with the package as pretrained='ltvl-toy'.
"""

_base_ = '../../_base_/default_runtime.py'

arch = 'ltvl-toy'
max_epochs = 10  # of 51,200 images
constant_epochs = 6

model = dict(
    type='ImageClassifier',
    data_preprocessor=dict(
        # CLIP's own numbers, times 255.
        mean=[122.7709383, 116.7460125, 104.09373615],
        std=[68.5005327, 66.6321579, 70.32316305],
        to_rgb=False,  # the corpus is drawn in RGB
    ),
    # From random weights, so BatchNorm has to learn its statistics.
    backbone=dict(
        type='ltvl_mm.CLIPBackbone',
        arch=arch,
        freeze_bn=False,
        channels_last=True,
    ),
    head=dict(type='ltvl_mm.CLIPContrastiveHead', arch=arch),
)

train_dataloader = dict(
    batch_size=256,
    num_workers=1,
    persistent_workers=False,
    worker_init_fn=dict(type='ltvl_mm.seed_worker'),
    collate_fn=dict(type='default_collate'),
    drop_last=True,
    sampler=dict(type='ltvl_mm.FixedEpochSampler', epoch_size=51_200),
    dataset=dict(
        type='ltvl_mm.EmojiCorpus',
        length=120_000,
        cache='data/emoji_corpus',
    ),
)
train_cfg = dict(by_epoch=True, max_epochs=max_epochs)

optim_wrapper = dict(
    type='ltvl_mm.BFloat16OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.05, fused=True),
    clip_grad=dict(max_norm=1.0),
)
# Warm up, keep the learning rate, and decay it to zero in the last epochs: a
# longer training is this one with more constant epochs.
param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.05, end=1, convert_to_iter_based=True
    ),
    dict(
        type='CosineAnnealingLR',
        begin=constant_epochs,
        end=max_epochs,
        convert_to_iter_based=True,
    ),
]
