"""LWS: the lengths of the classifier of ResNet-50 anew, on iNaturalist 2018.

Source:   Kang et al. 2020 (arXiv 1910.09217) and its code
          (config/iNaturalist18/cls_lws.yaml: 5 epochs of class-aware batches
          of 512, lr 0.2, weight decay 1e-4; only the scales are trained).
Differs:  first stage of 200 epochs (r50_inat.py) instead of 90; Nesterov
          momentum; cosine without their early first step.
Command:  tools/dist_train.sh configs/baselines/lws_r50_inat.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as a tenth of r50_inat.py.
Expect:   65.9 overall (Table 3), after a first stage of 90 epochs.
Before:   tools/dist_train.sh configs/r50_inat.py 8 --amp
"""

_base_ = '../r50_inat.py'

stage_1 = 'work_dirs/r50_inat'  # its best checkpoint, or a file
max_epochs = 5

model = dict(
    type='ltvl_mm.DecoupledClassifier',
    stage_1=stage_1,
    kept=['backbone', 'neck', 'head.fc'],
    head=dict(type='ltvl_mm.LWSClsHead'),
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
