"""Give the shipped CLIP a small ViT for images, on its caption corpus.

A ViT that learns together with its text tower needs many thousands of steps;
the text tower of `ltvl-toy` knows already what captions mean and is kept.

Command:  python tools/train.py configs/toy/clip/clip_vit.py
Hardware: 1 CPU core, 15 minutes.
Expect:   58 % zero-shot (../clip_zero_shot/clip_zero_shot.py with this arch);
          these weights come with the package as pretrained='ltvl-toy-vit'.
"""

_base_ = './clip.py'

arch = 'ltvl-toy-vit'

model = dict(
    backbone=dict(arch=arch, freeze_bn=True, channels_last=False),
    # The text towers of both architectures are equal.
    head=dict(arch='ltvl-toy', pretrained='ltvl-toy', frozen=True),
)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
