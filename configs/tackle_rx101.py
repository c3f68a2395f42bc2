"""TACKLE: ResNeXt-101 32x4d on ImageNet-LT and retrieved web images.

Source:   Table 1 of the TACKLE paper.
Differs:  n_k, temperature, schedule and augmentation are not public; those
          here are ours, as in tackle_rx50.py.
Command:  tools/dist_train.sh configs/tackle_rx101.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    about 3.5 on 8 x A100, estimated, not measured.
Expect:   62.5 overall (Table 1).
Before:   embed and retrieve, as for tackle_rx50.py.
"""

_base_ = './tackle_rx50.py'

model = dict(backbone=dict(depth=101))
