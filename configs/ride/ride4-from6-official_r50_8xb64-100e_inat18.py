r"""RIDE: 4 experts of ResNet-50, distilled from 6, as its authors do.

Source:   Wang et al. 2021 (arXiv 2010.01809), settings of its code
          (config_iNaturalist_resnet50_distill_ride.json with --num_experts 4):
          those of ride6-official_r50_8xb64-100e_inat18.py, and distillation at
          temperature 1.5. Their loss adds both parts once per expert, so it is
          4 times that of ride4-from6_r50_8xb64-200e_inat18.py.
Differs:  without routing: all experts predict.
Command:  tools/dist_train.sh \
    configs/ride/ride4-from6-official_r50_8xb64-100e_inat18.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_r50_8xb64-200e_inat18.py, one and a quarter.
Expect:   72.6 overall (Table 3 of the TACKLE paper); 70.9 many, 72.5 medium,
          73.1 few, with routing (model zoo of its authors).
Before:   tools/dist_train.sh \
              configs/ride/ride6-official_r50_8xb64-100e_inat18.py 8 --amp
"""

_base_ = [
    '../_base_/models/ride_distillation.py',
    './ride2-official_r50_8xb64-100e_inat18.py',
]

num_experts = 4
# Or a file.
teacher_checkpoint = 'work_dirs/ride6-official_r50_8xb64-100e_inat18'
loss = dict(_base_.loss, loss_weight=float(num_experts))

model = dict(
    **{**_base_.distillation, 'distillation_weight': float(num_experts)},
    teacher_checkpoint=teacher_checkpoint,
    teacher=dict(
        _base_.model,
        backbone=dict(_base_.model.backbone, num_experts=6),
        head=dict(_base_.model.head, num_experts=6),
    ),
    backbone=dict(num_experts=num_experts),
    head=dict(num_experts=num_experts, loss=loss),
)
custom_hooks = [
    _base_.custom_hooks[0],
    dict(
        type='SwitchRecipeHook',
        schedule=[dict(action_epoch=81, loss=dict(loss, beta=0.9999))],
    ),
    _base_.custom_hooks[2],
]
