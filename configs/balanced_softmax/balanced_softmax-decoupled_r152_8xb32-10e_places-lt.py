r"""Balanced softmax: the classifier of ResNet-152, on Places-LT.

Source:   Ren et al. 2020 (arXiv 2007.10740) and its code
          (config/Places_LT/decouple_balanced_softmax.yaml): 10 epochs of the
          classifier alone on a frozen first stage, without re-sampling, batch
          256, lr 0.02, weight decay 5e-4, cosine.
Differs:  the first stage is cross_entropy_r152_8xb64-30e_places-lt.py, whose
          config their code lacks; cosine without their early first step; the
          checkpoint is chosen on val.
Command:  tools/dist_train.sh \
    configs/balanced_softmax/balanced_softmax-decoupled_r152_8xb32-10e_places-lt.py \
    8
Hardware: 8 GPUs of 24 GB or more; hours as a third of
          cross_entropy_r152_8xb64-30e_places-lt.py.
Expect:   38.6 overall (Table 2 of the TACKLE paper); ours is not measured.
Before:   tools/dist_train.sh \
    configs/cross_entropy/cross_entropy_r152_8xb64-30e_places-lt.py 8 --amp
"""  # noqa: E501

_base_ = [
    '../_base_/schedules/second_stage.py',
    '../cross_entropy/cross_entropy_r152_8xb64-30e_places-lt.py',
]

# Its best checkpoint, or a file.
stage_1 = 'work_dirs/cross_entropy_r152_8xb64-30e_places-lt'
max_epochs = 10

loss = dict(type='ltvl_mm.LogitAdjustedLoss', num_classes=_base_.num_classes)
model = dict(
    type='ltvl_mm.DecoupledClassifier',
    stage_1=stage_1,
    backbone=dict(init_cfg=None),
    head=dict(loss=dict(_delete_=True, **loss)),
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
train_dataloader = dict(batch_size=32)  # 256 images on 8 GPUs
auto_scale_lr = dict(base_batch_size=256)
param_scheduler = [dict(_base_.cosine, T_max=max_epochs)]
train_cfg = dict(max_epochs=max_epochs)
