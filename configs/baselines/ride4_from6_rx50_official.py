r"""RIDE: 4 experts of ResNeXt-50, distilled from 6, as its authors do.

Source:   Wang et al. 2021 (arXiv 2010.01809), settings of its code
          (config_imagenet_lt_resnext50_distill_ride.json with
          --num_experts 4): those of ride6_rx50_official.py, and
          distillation at temperature 1.5. Their loss adds both parts once
          per expert, so it is 4 times that of ride4_from6_rx50.py.
Differs:  the checkpoint is chosen on val; theirs is the last one.
          Without routing: all experts predict.
Command:  tools/dist_train.sh \
              configs/baselines/ride4_from6_rx50_official.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as rx50.py, and half as many.
Expect:   56.8 overall (Table 1 of the TACKLE paper); 68.3 many, 53.5 medium,
          35.9 few, with routing (model zoo of its authors).
Before:   tools/dist_train.sh \
              configs/baselines/ride6_rx50_official.py 8 --amp
"""

_base_ = './ride6_rx50_official.py'

num_experts = 4
teacher_checkpoint = 'work_dirs/ride6_rx50_official'  # or a file
loss = dict(**_base_.loss, loss_weight=float(num_experts))

model = dict(
    type='ltvl_mm.DistilledClassifier',
    teacher=_base_.model,
    teacher_checkpoint=teacher_checkpoint,
    temperature=1.5,
    distillation_weight=float(num_experts),
    backbone=dict(num_experts=num_experts),
    head=dict(num_experts=num_experts, loss=loss),
)
custom_hooks = [
    dict(type='ltvl_mm.EpochSeedHook'),
    dict(
        type='SwitchRecipeHook',
        schedule=[
            dict(action_epoch=81, loss=dict(**loss, beta=0.9999)),
        ],
    ),
    dict(type='ltvl_mm.ClassCountsHook'),
]
