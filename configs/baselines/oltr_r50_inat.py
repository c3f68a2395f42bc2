"""OLTR: attention and memory after ResNet-50, on iNaturalist 2018.

Source:   Liu et al. 2019 (arXiv 1904.05160), whose code has no config for this
          data set.
Differs:  the recipe is ours: that of crt_r50_inat.py, and the ratios of their
          rates for ImageNet-LT.
Command:  tools/dist_train.sh configs/baselines/oltr_r50_inat.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as a sixth of r50_inat.py.
Expect:   63.9 overall (Table 3 of the TACKLE paper); ours is not measured.
Before:   tools/dist_train.sh configs/r50_inat.py 8 --amp
"""

_base_ = './crt_r50_inat.py'

model = dict(
    kept=['backbone'],
    begun={'head.hallucinator': 'head.fc'},
    neck=dict(
        _delete_=True,
        type='ltvl_mm.ModulatedAttentionNeck',
        in_channels=2048,
        map_size=7,
        neck=_base_.model.neck,
    ),
    head=dict(type='ltvl_mm.MemoryClsHead'),
)
optim_wrapper = dict(
    paramwise_cfg=dict(
        custom_keys={
            'neck': dict(lr_mult=0.1),
            'head.centroids': dict(lr_mult=0.1),
        }
    )
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassMeansHook')]
