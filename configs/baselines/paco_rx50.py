"""PaCo: ResNeXt-50 on ImageNet-LT.

Source:   Cui et al. 2021 (arXiv 2107.12028): its temperature, weights, queue,
          views and rate (times 4, for 512 images a step instead of 128);
          epochs are those of rx50.py, so that methods compare, not 400.
Command:  tools/dist_train.sh configs/baselines/paco_rx50.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as rx50.py, twice and a half.
Expect:   58.2 overall in Table 1 of the TACKLE paper, after 400 epochs;
          ours is not measured.
"""

_base_ = ['../rx50.py', '../_base_/datasets/contrast_views.py']

model = dict(
    type='ltvl_mm.PaCoClassifier',
    head=dict(
        loss=dict(
            _delete_=True,
            type='ltvl_mm.PaCoLoss',
            num_classes=_base_.num_classes,
            temperature=0.07,
        )
    ),
)
train_dataloader = dict(
    dataset=dict(pipeline=_base_.contrast_pipelines.stack2_sim)
)
optim_wrapper = dict(optimizer=dict(lr=0.08))
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
