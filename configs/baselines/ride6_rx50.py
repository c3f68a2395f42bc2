"""RIDE: 6 experts of ResNeXt-50 on ImageNet-LT, a teacher.

Source:   Wang et al. 2021 (arXiv 2010.01809), 6 experts. The schedule is that
          of rx50.py.
Command:  tools/dist_train.sh configs/baselines/ride6_rx50.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as rx50.py,
          twice and a half.
Expect:   57.5 overall (model zoo of its authors, 100 epochs).
"""

_base_ = './ride_rx50.py'

model = dict(backbone=dict(num_experts=6), head=dict(num_experts=6))
