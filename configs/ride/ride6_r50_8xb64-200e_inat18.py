r"""RIDE: 6 experts of ResNet-50 on iNaturalist 2018, a teacher.

Source:   Wang et al. 2021 (arXiv 2010.01809) and its code
          (config_iNaturalist_resnet50_ride.json), 6 experts.
Differs:  schedule of cross_entropy_r50_8xb64-200e_inat18.py: 200 epochs, lr
          0.2 on a cosine, weight decay 1e-4 instead of 2e-4; DRW in the last
          fifth. Theirs: ride6-official_r50_8xb64-100e_inat18.py.
Command:  tools/dist_train.sh \
              configs/ride/ride6_r50_8xb64-200e_inat18.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_r50_8xb64-200e_inat18.py, twice and a half.
Expect:   72.9 overall (model zoo of its authors, 100 epochs).
"""

_base_ = './ride2_r50_8xb64-200e_inat18.py'

model = dict(backbone=dict(num_experts=6), head=dict(num_experts=6))
