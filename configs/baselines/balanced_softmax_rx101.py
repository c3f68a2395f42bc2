"""Balanced softmax: ResNeXt-101 on ImageNet-LT.

Source:   Ren et al. 2020 (arXiv 2007.10740) and its code, which has no config
          for this backbone (config/ImageNet_LT/balanced_softmax_resnet10.yaml:
          ResNet-10, 90 epochs, batch 512, lr 0.2, weight decay 5e-4).
Differs:  schedule of rx101.py (180 epochs, batch 512, lr 0.2, warm-up,
          Nesterov, weight decay 5e-4), so that only the loss differs from the
          plain student.
Command:  tools/dist_train.sh configs/baselines/balanced_softmax_rx101.py 8
Hardware: 8 GPUs of 24 GB or more; hours as rx101.py.
Expect:   58.0 overall in Table 1 of the TACKLE paper, after other and
          longer schedules; ours is not measured.
"""

_base_ = './balanced_softmax_rx50.py'

model = dict(backbone=dict(depth=101))
