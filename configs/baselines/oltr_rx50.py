"""OLTR: attention and memory after ResNeXt-50, on ImageNet-LT.

Source:   Liu et al. 2019 (arXiv 1904.05160), whose code has no config for this
          backbone (config/ImageNet_LT/stage_2_meta_embedding.py: ResNet-10,
          which is trained further).
Differs:  the recipe is ours: that of crt_rx50.py, and the ratios of its rates.
Command:  tools/dist_train.sh configs/baselines/oltr_rx50.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as a tenth of rx50.py.
Expect:   not known; its authors report 35.6 overall with ResNet-10.
Before:   tools/dist_train.sh configs/rx50.py 8 --amp
"""

_base_ = './crt_rx50.py'

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
