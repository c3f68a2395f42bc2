"""ResNet-50 on ImageNet-LT alone: what baselines start from.

Source:   the cross-entropy reference under the schedule of tackle_rx50.py.
Command:  tools/dist_train.sh configs/r50.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as tackle_rx50.py, or less.
Expect:   41.6 overall after 90 epochs (Kang et al. 2020).
"""

_base_ = './rx50.py'

model = dict(
    backbone=dict(_delete_=True, type='ResNet', depth=50),
)
