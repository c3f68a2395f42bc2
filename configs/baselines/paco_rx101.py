"""PaCo: ResNeXt-101 on ImageNet-LT.

Source:   Cui et al. 2021 (arXiv 2107.12028): its temperature, weights, queue,
          views and rate (times 4, for 512 images a step instead of 128);
          epochs are those of rx101.py, so that methods compare, not 400.
Command:  tools/dist_train.sh configs/baselines/paco_rx101.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as rx101.py, twice and a half.
Expect:   60.0 overall in Table 1 of the TACKLE paper, after 400 epochs;
          ours is not measured.
"""

_base_ = './paco_rx50.py'

model = dict(backbone=dict(depth=101), head=dict(loss=dict(temperature=0.2)))
train_dataloader = dict(
    dataset=dict(pipeline=_base_.contrast_pipelines.stack3_sim)
)
optim_wrapper = dict(optimizer=dict(lr=0.12))
