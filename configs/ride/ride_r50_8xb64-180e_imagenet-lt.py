r"""RIDE: 3 experts of ResNet-50 on ImageNet-LT.

Source:   Wang et al. 2021 (arXiv 2010.01809) and its code
          (config_imagenet_lt_resnet50_ride.json), 3 experts, without
          distillation and without routing: all experts predict.
Differs:  schedule of cross_entropy_r50_8xb64-180e_imagenet-lt.py: 180 epochs,
          batch 512, lr 0.2 on a cosine, weight decay 5e-4 instead of 2e-4; DRW
          in the last fifth; the checkpoint is chosen on val. Theirs:
          ride-official_r50_8xb32-100e_imagenet-lt.py.
Command:  tools/dist_train.sh \
              configs/ride/ride_r50_8xb64-180e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_r50_8xb64-180e_imagenet-lt.py, and half as many again.
Expect:   55.4 overall (Table 1 of the TACKLE paper).
"""

_base_ = './ride_rx50_8xb64-180e_imagenet-lt.py'

model = dict(
    backbone=dict(backbone=dict(_delete_=True, type='ResNet', depth=50))
)
