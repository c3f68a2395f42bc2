r"""LIFT: CLIP ViT-L/14 with trained adapters, on ImageNet-LT.

Source:   Shi et al. 2024 (arXiv 2309.10019) and its code
          (configs/model/clip_vit_l14.yaml): five crops of images resized to
          224 + 21 px; all else is as in
          lift_vit-b16_1xb128-10e_imagenet-lt.py. Not in the TACKLE paper.
Differs:  as lift_vit-b16_1xb128-10e_imagenet-lt.py.
Command:  tools/dist_train.sh \
              configs/lift/lift_vit-l14_1xb128-10e_imagenet-lt.py 1 --amp
Hardware: 1 GPU of 24 GB or more.
Hours:    about 4 on one A100, estimated from
          lift_vit-b16_1xb128-10e_imagenet-lt.py, as ViT-L/14 has 4.6 times its
          multiply-adds; not measured.
Expect:   82.9 overall with five crops (Shi et al. 2024); ours is not measured.
"""

_base_ = './lift_vit-b16_1xb128-10e_imagenet-lt.py'

arch = 'ViT-L-14-quickgelu'

model = dict(
    backbone=dict(backbone=dict(arch=arch), dim=16), head=dict(arch=arch)
)
tta_pipeline = [
    _base_.tta_pipeline[0],
    dict(_base_.tta_pipeline[1], scale=245),
    _base_.tta_pipeline[2],
]
