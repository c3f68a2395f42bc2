"""ResLT: ResNeXt-101 on ImageNet-LT.

Source:   Cui et al. 2023 (arXiv 2101.10633); beta 0.99 and gamma 0.7 of its
          code (ImageNetLT/sh, X101: 180 epochs, batch 128, lr 0.05, weight
          decay 5e-4).
Differs:  schedule of rx101.py: batch 512 and lr 0.2, the same for each image;
          Nesterov momentum; the checkpoint is chosen on val, theirs on test.
Command:  tools/dist_train.sh configs/baselines/reslt_rx101.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as rx101.py.
Expect:   55.1 overall (Table 1 of the TACKLE paper); ours is not measured.
"""

_base_ = './reslt_rx50.py'

model = dict(backbone=dict(depth=101))
