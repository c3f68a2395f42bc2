"""ResLT: ResNet-152 on Places-LT.

Source:   Cui et al. 2023 (arXiv 2101.10633); its code has no config for
          Places-LT.
Differs:  beta 0.99 and gamma 0.7 of its code for ImageNet-LT (choose gamma on
          val with tune_classifier.py); schedule of r152_places.py.
Command:  tools/dist_train.sh configs/baselines/reslt_r152_places.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as r152_places.py.
Expect:   39.8 overall (Table 2 of the TACKLE paper); ours is not measured.
"""

_base_ = '../r152_places.py'

model = dict(
    neck=dict(_delete_=True, type='ltvl_mm.ResLTNeck', in_channels=2048),
    head=dict(
        type='ltvl_mm.ResLTHead',
        loss=dict(
            _delete_=True,
            type='ltvl_mm.ResLTLoss',
            num_classes=_base_.num_classes,
        ),
    ),
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
