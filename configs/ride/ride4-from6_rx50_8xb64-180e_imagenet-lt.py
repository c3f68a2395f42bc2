r"""RIDE: 4 experts of ResNeXt-50, distilled from 6, on ImageNet-LT.

Source:   Wang et al. 2021 (arXiv 2010.01809) and its code
          (config_imagenet_lt_resnext50_distill_ride.json), 4 experts,
          distilled from 6, without routing: all experts predict.
Differs:  schedule of cross_entropy_rx50_8xb64-180e_imagenet-lt.py: 180 epochs,
          batch 512, lr 0.2 on a cosine, weight decay 5e-4 instead of 2e-4;
          both parts of the loss once, theirs times the number of experts; DRW
          in the last fifth; the checkpoint is chosen on val. Theirs:
          ride4-from6-official_rx50_8xb32-100e_imagenet-lt.py.
Command:  tools/dist_train.sh \
              configs/ride/ride4-from6_rx50_8xb64-180e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_rx50_8xb64-180e_imagenet-lt.py, twice and a half.
Expect:   56.8 overall (Table 1 of the TACKLE paper); 68.3 many, 53.5 medium,
          35.9 few, with routing (model zoo of its authors).
Before:   tools/dist_train.sh \
              configs/ride/ride6_rx50_8xb64-180e_imagenet-lt.py 8 --amp
"""

_base_ = [
    '../_base_/models/ride_distillation.py',
    './ride_rx50_8xb64-180e_imagenet-lt.py',
]

# Its best or last, or a file.
teacher_checkpoint = 'work_dirs/ride6_rx50_8xb64-180e_imagenet-lt'

model = dict(
    **_base_.distillation,
    teacher_checkpoint=teacher_checkpoint,
    teacher=dict(
        _base_.model,
        backbone=dict(_base_.model.backbone, num_experts=6),
        head=dict(_base_.model.head, num_experts=6),
    ),
    backbone=dict(num_experts=4),
    head=dict(num_experts=4),
)
