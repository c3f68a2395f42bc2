"""ResLT: ResNet-50 on iNaturalist 2018.

Source:   Cui et al. 2023 (arXiv 2101.10633); beta 0.85, two branches and gamma
          0.0 at test time as in its code (Inat/sh/R50.sh: 200 epochs, batch
          256, lr 0.1, weight decay 1e-4; Inat/iNaturalTrain_reslt.py).
Differs:  schedule of r50_inat.py: batch 512 and lr 0.2, the same for each
          image; Nesterov momentum.
Command:  tools/dist_train.sh configs/baselines/reslt_r50_inat.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as r50_inat.py.
Expect:   72.3 overall (Table 3 of the TACKLE paper); ours is not measured.
"""

_base_ = '../r50_inat.py'

model = dict(
    neck=dict(
        _delete_=True, type='ltvl_mm.ResLTNeck', in_channels=2048, branches=2
    ),
    head=dict(
        type='ltvl_mm.ResLTHead',
        gamma=0.0,
        loss=dict(
            _delete_=True,
            type='ltvl_mm.ResLTLoss',
            num_classes=_base_.num_classes,
            beta=0.85,
            # 6,600 of 8,142 classes; there is no third branch.
            medium=6600 / 8142,
            tail=None,
        ),
    ),
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
