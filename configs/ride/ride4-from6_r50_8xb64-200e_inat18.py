r"""RIDE: 4 experts of ResNet-50, distilled from 6, on iNaturalist 2018.

Source:   Wang et al. 2021 (arXiv 2010.01809) and its code
          (config_iNaturalist_resnet50_distill_ride.json), 4 experts, distilled
          from 6, without routing: all experts predict.
Differs:  schedule of cross_entropy_r50_8xb64-200e_inat18.py: 200 epochs, lr
          0.2 on a cosine, weight decay 1e-4 instead of 2e-4; both parts of the
          loss once, theirs times the number of experts; DRW in the last fifth.
          Theirs: ride4-from6-official_r50_8xb64-100e_inat18.py.
Command:  tools/dist_train.sh \
              configs/ride/ride4-from6_r50_8xb64-200e_inat18.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_r50_8xb64-200e_inat18.py, twice and a half.
Expect:   72.6 overall (Table 3 of the TACKLE paper); 70.9 many, 72.5 medium,
          73.1 few, with routing (model zoo of its authors).
Before:   tools/dist_train.sh \
              configs/ride/ride6_r50_8xb64-200e_inat18.py 8 --amp
"""

_base_ = [
    '../_base_/models/ride_distillation.py',
    './ride2_r50_8xb64-200e_inat18.py',
]

# Its best or last, or a file.
teacher_checkpoint = 'work_dirs/ride6_r50_8xb64-200e_inat18'

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
