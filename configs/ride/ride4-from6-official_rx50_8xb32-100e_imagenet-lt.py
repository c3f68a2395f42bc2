r"""RIDE: 4 experts of ResNeXt-50, distilled from 6, as its authors do.

Source:   Wang et al. 2021 (arXiv 2010.01809), settings of its code
          (config_imagenet_lt_resnext50_distill_ride.json with --num_experts
          4): those of ride6-official_rx50_8xb32-100e_imagenet-lt.py, and
          distillation at temperature 1.5. Their loss adds both parts once per
          expert, so it is 4 times that of
          ride4-from6_rx50_8xb64-180e_imagenet-lt.py.
Differs:  the checkpoint is chosen on val; theirs is the last one. Without
          routing: all experts predict.
Command:  tools/dist_train.sh \
    configs/ride/ride4-from6-official_rx50_8xb32-100e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_rx50_8xb64-180e_imagenet-lt.py, and half as many.
Expect:   56.8 overall (Table 1 of the TACKLE paper); 68.3 many, 53.5 medium,
          35.9 few, with routing (model zoo of its authors).
Before:   tools/dist_train.sh \
    configs/ride/ride6-official_rx50_8xb32-100e_imagenet-lt.py 8 --amp
"""

_base_ = [
    '../_base_/models/ride_distillation.py',
    './ride6-official_rx50_8xb32-100e_imagenet-lt.py',
]

num_experts = 4
# Or a file.
teacher_checkpoint = 'work_dirs/ride6-official_rx50_8xb32-100e_imagenet-lt'
loss = dict(_base_.loss, loss_weight=float(num_experts))

model = dict(
    **{**_base_.distillation, 'distillation_weight': float(num_experts)},
    teacher_checkpoint=teacher_checkpoint,
    teacher=_base_.model,
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
