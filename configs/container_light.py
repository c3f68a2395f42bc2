"""CONTAINER-Light on ImageNet-LT alone: what TACKLE is compared with.

Source:   Table 6 of the TACKLE paper, without retrieval; Gao et al. 2021
          (arXiv 2106.01401) for the backbone, which is trained as DeiT is.
Differs:  the schedule of the paper is not public: that of deit_s.py.
Command:  tools/dist_train.sh configs/container_light.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    about 6 on 8 x A100: 34.8 million images seen, estimated from 200
          images/s per GPU, not measured.
Expect:   70.9 many, 39.7 medium, 12.6 few, 48.0 overall (Table 6).
"""

_base_ = './deit_s.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='ltvl_mm.CONTAINER',
        arch='light',
        drop_path_rate=0.1,
    ),
    neck=dict(_delete_=True, type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', in_channels=512),
    # Convolutions keep PyTorch's own, as in the authors' code.
    init_cfg=[dict(type='TruncNormal', layer='Linear', std=0.02)],
)
optim_wrapper = dict(
    paramwise_cfg=dict(
        flat_decay_mult=0.0,  # gates
        custom_keys=dict(_delete_=True),
    )
)
