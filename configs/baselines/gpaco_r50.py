"""GPaCo: ResNet-50 on ImageNet-LT.

Source:   Cui et al. 2022 (arXiv 2209.12400): its temperature, weights, queue,
          views and rate (times 4, for 512 images a step instead of 128);
          epochs are those of r50.py, so that methods compare, not 400.
Command:  tools/dist_train.sh configs/baselines/gpaco_r50.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as r50.py, twice.
Expect:   58.5 overall (its authors), after 400 epochs; ours is not
          measured.
"""

_base_ = './gpaco_rx50.py'

model = dict(
    backbone=dict(_delete_=True, type='ResNet', depth=50),
    head=dict(loss=dict(alpha=0.045)),
)
train_dataloader = dict(
    dataset=dict(pipeline=_base_.contrast_pipelines.rand2_stack2)
)
optim_wrapper = dict(optimizer=dict(lr=0.16))
