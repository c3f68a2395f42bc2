"""ResLT: ResNeXt-101 on ImageNet-LT.

Source:   Cui et al. 2023 (arXiv 2101.10633), beta and gamma of its code;
          the schedule is that of rx101.py.
Command:  tools/dist_train.sh configs/baselines/reslt_rx101.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as rx101.py.
Expect:   55.1 overall (Table 1 of the TACKLE paper); ours is not measured.
"""

_base_ = './reslt_rx50.py'

model = dict(backbone=dict(depth=101))
