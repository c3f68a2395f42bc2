"""cRT: the classifier of ResNet-152 anew, on Places-LT.

Source:   Kang et al. 2020 (arXiv 1910.09217) and its code
          (config/Places_LT/cls_crt.yaml: 10 epochs of class-aware batches of
          256, lr 0.1, weight decay 5e-4).
Differs:  batch 512 and lr 0.2, the same for each image; the first stage is
          r152_places.py, whose config their code lacks; cosine without their
          early first step; the checkpoint is chosen on val.
Command:  tools/dist_train.sh configs/baselines/crt_r152_places.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as a tenth of r152_places.py.
Expect:   36.7 overall (Table 2 of the TACKLE paper).
Before:   tools/dist_train.sh configs/r152_places.py 8 --amp
"""

_base_ = '../r152_places.py'

stage_1 = 'work_dirs/r152_places'  # its best checkpoint, or a file
max_epochs = 10

model = dict(
    type='ltvl_mm.DecoupledClassifier',
    stage_1=stage_1,
    backbone=dict(init_cfg=None),
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
train_cfg = dict(max_epochs=max_epochs, val_interval=5)
