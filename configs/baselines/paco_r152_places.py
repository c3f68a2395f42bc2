"""PaCo: ResNet-152 on Places-LT.

Source:   Cui et al. 2021 (arXiv 2107.12028): its temperature, weights, queue,
          views and rate (times 4, for 512 images a step instead of 128);
          epochs are those of r152_places.py, so that methods compare.
Command:  tools/dist_train.sh configs/baselines/paco_r152_places.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as r152_places.py, twice and a half.
Expect:   41.2 overall in Table 2 of the TACKLE paper, after 30
          epochs, its code says of val and not of test; ours is not measured.
"""

_base_ = ['../r152_places.py', '../_base_/datasets/paco_views.py']

model = dict(
    type='ltvl_mm.PaCoClassifier',
    head=dict(
        loss=dict(
            _delete_=True,
            type='ltvl_mm.PaCoLoss',
            num_classes=_base_.num_classes,
            temperature=0.2,
        )
    ),
)
# Twice the second of these views.
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(
                type='MultiView',
                num_views=2,
                transforms=_base_.paco_pipelines.rand2[1]['transforms'][1:],
            ),
            dict(type='PackInputs'),
        ]
    )
)
optim_wrapper = dict(optimizer=dict(lr=0.08))
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
