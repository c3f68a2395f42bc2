"""RIDE: 4 experts of ResNet-50, distilled from 6, on iNaturalist 2018.

Source:   Wang et al. 2021 (arXiv 2010.01809) and its code
          (config_iNaturalist_resnet50_distill_ride.json), 4 experts, distilled
          from 6, without routing: all experts predict.
Differs:  schedule of r50_inat.py: 200 epochs, lr 0.2 on a cosine, weight decay
          1e-4 instead of 2e-4; both parts of the loss once, theirs times the
          number of experts; DRW in the last fifth. Theirs:
          ride4_from6_r50_inat_official.py.
Command:  tools/dist_train.sh configs/baselines/ride4_from6_r50_inat.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as r50_inat.py, twice and a half.
Expect:   72.6 overall (Table 3 of the TACKLE paper); 70.9 many, 72.5 medium,
          73.1 few, with routing (model zoo of its authors).
Before:   tools/dist_train.sh configs/baselines/ride6_r50_inat.py 8 --amp
"""

_base_ = './ride6_r50_inat.py'

teacher_checkpoint = 'work_dirs/ride6_r50_inat'  # its best or last, or a file

model = dict(
    type='ltvl_mm.DistilledClassifier',
    teacher=_base_.model,
    teacher_checkpoint=teacher_checkpoint,
    temperature=1.5,
    distillation_weight=1.0,
    backbone=dict(num_experts=4),
    head=dict(num_experts=4),
)
