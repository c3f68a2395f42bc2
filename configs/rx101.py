"""ResNeXt-101 32x4d on ImageNet-LT alone: what TACKLE is compared with.

Source:   the cross-entropy reference; Kang et al. 2020 (arXiv 1910.09217) and
          its code (config/ImageNet_LT/feat_uniform.yaml: 90 epochs of batches
          of 512, lr 0.2 on a cosine, weight decay 5e-4).
Differs:  180 epochs, as many iterations as tackle_rx101.py; warm-up; Nesterov
          momentum.
Command:  tools/dist_train.sh configs/rx101.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as tackle_rx101.py.
Expect:   44.8 overall after 90 epochs (Kang et al. 2020).
"""

_base_ = './rx50.py'

model = dict(backbone=dict(depth=101))
