"""GPaCo: ResNeXt-101 on ImageNet-LT.

Source:   Cui et al. 2022 (arXiv 2209.12400) and its code
          (GPaCo/LT/sh/LT/ImageNetLT_train_X101.sh: 400 epochs, batch 128, lr
          0.06, weight decay 5e-4, alpha 0.05, temperature 0.2, views randcls
          and randclsstack, 5 operations).
Differs:  180 epochs; batch 512 and 4 times their lr; warm-up of 5 epochs
          instead of 10; Nesterov momentum; the checkpoint is chosen on val.
Command:  tools/dist_train.sh configs/baselines/gpaco_rx101.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as rx101.py, twice.
Expect:   60.8 overall (its authors), after 400 epochs; ours is not
          measured.
"""

_base_ = './gpaco_rx50.py'

model = dict(backbone=dict(depth=101))
train_dataloader = dict(
    dataset=dict(pipeline=_base_.contrast_pipelines.rand5_stack5)
)
