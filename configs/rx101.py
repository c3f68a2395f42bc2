"""ResNeXt-101 32x4d on ImageNet-LT alone: what TACKLE is compared with.

Source:   the cross-entropy reference under the schedule of tackle_rx101.py,
          for as many iterations.
Command:  tools/dist_train.sh configs/rx101.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as tackle_rx101.py.
Expect:   44.8 overall after 90 epochs (Kang et al. 2020).
"""

_base_ = './rx50.py'

model = dict(backbone=dict(depth=101))
