"""PaCo: ResNet-152 on Places-LT.

Source:   Cui et al. 2021 (arXiv 2107.12028) and its code
          (PaCo/LT/paco_fp16_places.py: 30 epochs, 5 of them warm-up, batch
          128, lr 0.02, weight decay 5e-4, temperature 0.2, sim views twice).
          Of the convolutions only those of the last block train; so do all
          BatchNorms, the projector and the classifier.
Differs:  batch 512 and 4 times their lr; the checkpoint is chosen on val and
          tested on test, theirs on val alone.
Command:  tools/dist_train.sh configs/baselines/paco_r152_places.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as r152_places.py, twice and a half.
Expect:   41.2 overall in Table 2 of the TACKLE paper; its code says of val
          and not of test. Ours is not measured.
"""

_base_ = ['../r152_places.py', '../_base_/datasets/contrast_views.py']

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
                transforms=_base_.contrast_pipelines.rand2_sim[1][
                    'transforms'
                ][1:],
            ),
            dict(type='PackInputs'),
        ]
    )
)
optim_wrapper = dict(
    optimizer=dict(lr=0.08),
    # A rate of 0 freezes; the longest key that fits a name counts.
    paramwise_cfg=dict(
        custom_keys={
            '.conv': dict(lr_mult=0.0),
            'downsample.0': dict(lr_mult=0.0),
            'backbone.layer4.2.conv': dict(lr_mult=1.0),
        }
    ),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, end=5, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        begin=5,
        end=_base_.max_epochs,
        convert_to_iter_based=True,
    ),
]
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
