r"""RIDE: 6 experts of ResNeXt-50 on ImageNet-LT, a teacher.

Source:   Wang et al. 2021 (arXiv 2010.01809) and its code
          (config_imagenet_lt_resnext50_ride.json), 6 experts.
Differs:  schedule of cross_entropy_rx50_8xb64-180e_imagenet-lt.py: 180 epochs,
          batch 512, lr 0.2 on a cosine, weight decay 5e-4 instead of 2e-4; DRW
          in the last fifth; the checkpoint is chosen on val. Theirs:
          ride6-official_rx50_8xb32-100e_imagenet-lt.py.
Command:  tools/dist_train.sh \
              configs/ride/ride6_rx50_8xb64-180e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_rx50_8xb64-180e_imagenet-lt.py, twice and a half.
Expect:   57.5 overall (model zoo of its authors, 100 epochs).
"""

_base_ = './ride_rx50_8xb64-180e_imagenet-lt.py'

model = dict(backbone=dict(num_experts=6), head=dict(num_experts=6))
