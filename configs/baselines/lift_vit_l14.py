"""LIFT: CLIP ViT-L/14 with trained adapters, on ImageNet-LT.

Source:   Shi et al. 2024 (arXiv 2309.10019): AdaptFormer in each block,
          cosine classifier that starts as the classes' texts, logit-adjusted
          loss, 10 epochs. Not in the TACKLE paper.
Command:  tools/dist_train.sh configs/baselines/lift_vit_l14.py 1 --amp
Hardware: 1 GPU of 24 GB or more.
Hours:    about 1 on one A100, estimated from 400 images/s, not measured.
Expect:   ours is not measured.
"""

_base_ = './lift_vit_b16.py'

arch = 'ViT-L-14-quickgelu'

model = dict(
    backbone=dict(backbone=dict(arch=arch), dim=16), head=dict(arch=arch)
)
