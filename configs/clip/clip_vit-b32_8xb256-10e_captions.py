r"""Train CLIP ViT-B/32 further on captioned images of your own.

Source:   contrastive loss and rate limits of Radford et al. 2021; to go on
          from published weights with a tenth of their rate is ours.
Differs:  schedule and batch are ours; no config of theirs is public.
Before:   python tools/dataset_converters/index_captions.py ...
Command:  tools/dist_train.sh \
              configs/clip/clip_vit-b32_8xb256-10e_captions.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; a larger batch is a better one.
Hours:    not measured.
Expect:   measure zero-shot before and after: docs/own_clip.md.
"""

_base_ = '../_base_/default_runtime.py'

arch = 'ViT-B-32-quickgelu'  # an open_clip name, FILE.json or local-dir:FOLDER
pretrained = 'openai'  # open_clip's tag, a file, or None to begin anew
epoch_size = 400_000  # images between two checkpoints; any number
max_epochs = 10

model = dict(
    type='ImageClassifier',
    # CLIP's own numbers, times 255.
    data_preprocessor=dict(
        mean=[122.7709383, 116.7460125, 104.09373615],
        std=[68.5005327, 66.6321579, 70.32316305],
        to_rgb=True,
    ),
    backbone=dict(
        type='ltvl_mm.CLIPBackbone', arch=arch, pretrained=pretrained
    ),
    head=dict(
        type='ltvl_mm.CLIPContrastiveHead', arch=arch, pretrained=pretrained
    ),
)

train_dataloader = dict(
    batch_size=256,
    num_workers=8,
    persistent_workers=False,
    worker_init_fn=dict(type='ltvl_mm.seed_worker'),
    collate_fn=dict(type='default_collate'),
    drop_last=True,
    # "Epochs" of a chosen length: a resumed run continues with the images that
    # an undisturbed one would see.
    sampler=dict(type='ltvl_mm.FixedEpochSampler', epoch_size=epoch_size),
    dataset=dict(
        type='ltvl_mm.CaptionedImages',
        index='data/captions',
        pipeline=[
            dict(type='ltvl_mm.LoadImage'),
            dict(
                type='RandomResizedCrop',
                scale=224,
                crop_ratio_range=(0.9, 1.0),
                interpolation='bicubic',
                backend='pillow',
            ),
            dict(type='PackInputs', meta_keys=('img_path', 'key', 'caption')),
        ],
    ),
)
train_cfg = dict(by_epoch=True, max_epochs=max_epochs)

optim_wrapper = dict(
    optimizer=dict(
        type='AdamW', lr=5e-5, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.2
    ),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0),
    clip_grad=dict(max_norm=1.0),
)
auto_scale_lr = dict(base_batch_size=2048)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.01,
        end=1,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        begin=1,
        end=max_epochs,
        convert_to_iter_based=True,
    ),
]
