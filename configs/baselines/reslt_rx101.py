"""ResLT: ResNeXt-101 on ImageNet-LT.

Source:   Cui et al. 2023 (arXiv 2101.10633), beta and gamma of its code;
          the schedule is that of rx101.py.
Command:  tools/dist_train.sh configs/baselines/reslt_rx101.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as rx101.py.
Expect:   55.1 overall (Table 1 of the TACKLE paper); ours is not measured.
"""

_base_ = '../rx101.py'

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
