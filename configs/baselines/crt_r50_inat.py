"""cRT: the classifier of ResNet-50 anew, on iNaturalist 2018.

Source:   Kang et al. 2020 (arXiv 1910.09217) and its code
          (config/iNaturalist18/cls_crt.yaml: 30 epochs of class-aware batches
          of 512, lr 0.2, weight decay 1e-4).
Differs:  warm-up in the first stage, 200 epochs as theirs; Nesterov momentum;
          cosine without their early first step.
Command:  tools/dist_train.sh configs/baselines/crt_r50_inat.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as a sixth of r50_inat.py.
Expect:   67.6 overall (Table 3 of the TACKLE paper).
Before:   tools/dist_train.sh configs/r50_inat.py 8 --amp
"""

_base_ = '../r50_inat.py'

stage_1 = 'work_dirs/r50_inat'  # its best checkpoint, or a file
max_epochs = 30

model = dict(
    type='ltvl_mm.DecoupledClassifier',
    stage_1=stage_1,
)
train_dataloader = dict(
    sampler=dict(
        _delete_=True,
        type='ltvl_mm.ClassBalancedSampler',
        epoch_size=_base_.epoch_size,
        samples_per_class=4,
    )
)
optim_wrapper = dict(optimizer=dict(lr=0.2))
param_scheduler = [
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, convert_to_iter_based=True
    )
]
train_cfg = dict(max_epochs=max_epochs)
