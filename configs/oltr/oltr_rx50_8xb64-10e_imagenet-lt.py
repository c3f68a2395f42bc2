r"""OLTR: attention and memory after ResNeXt-50, on ImageNet-LT.

Source:   Liu et al. 2019 (arXiv 1904.05160), whose code has no config for this
          backbone (config/ImageNet_LT/stage_2_meta_embedding.py: ResNet-10,
          which is trained further).
Differs:  the recipe is ours: that of crt_rx50_8xb64-10e_imagenet-lt.py, and
          the ratios of its rates.
Command:  tools/dist_train.sh \
              configs/oltr/oltr_rx50_8xb64-10e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as a tenth of
          cross_entropy_rx50_8xb64-180e_imagenet-lt.py.
Expect:   not known; its authors report 35.6 overall with ResNet-10.
Before:   tools/dist_train.sh \
    configs/cross_entropy/cross_entropy_rx50_8xb64-180e_imagenet-lt.py 8 --amp
"""

_base_ = [
    '../_base_/models/oltr.py',
    '../_base_/schedules/second_stage.py',
    '../cross_entropy/cross_entropy_rx50_8xb64-180e_imagenet-lt.py',
]

# Its best checkpoint, or a file.
stage_1 = 'work_dirs/cross_entropy_rx50_8xb64-180e_imagenet-lt'
max_epochs = 10

model = dict(
    **_base_.oltr,
    begun={'head.hallucinator': 'head.fc'},
    stage_1=stage_1,
    neck=dict(_base_.oltr_neck, neck=_base_.model.neck),
    head=dict(type='ltvl_mm.MemoryClsHead'),
)
train_dataloader = dict(sampler=_base_.class_aware)
optim_wrapper = dict(paramwise_cfg=_base_.oltr_rates)
param_scheduler = [dict(_base_.cosine, T_max=max_epochs)]
train_cfg = dict(max_epochs=max_epochs)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassMeansHook')]
