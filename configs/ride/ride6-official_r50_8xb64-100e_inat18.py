r"""RIDE: 6 experts of ResNet-50 on iNaturalist 2018, as its authors do.

Source:   Wang et al. 2021 (arXiv 2010.01809), settings of its code
          (config_iNaturalist_resnet50_ride.json): 100 epochs, batch 512, lr
          0.2 with a warm-up of 5 epochs and steps at 60 and 80, Nesterov
          momentum, weight decay 2e-4, DRW after epoch 80.
Differs:  without routing: all experts predict.
Command:  tools/dist_train.sh \
              configs/ride/ride6-official_r50_8xb64-100e_inat18.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_r50_8xb64-200e_inat18.py, one and a quarter.
Expect:   72.9 overall (model zoo of its authors, 100 epochs).
"""

_base_ = './ride2-official_r50_8xb64-100e_inat18.py'

model = dict(backbone=dict(num_experts=6), head=dict(num_experts=6))
