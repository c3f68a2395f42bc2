"""cRT: the classifier of ResNeXt-50 anew, on ImageNet-LT.

Source:   Kang et al. 2020 (arXiv 1910.09217) and its code
          (config/ImageNet_LT/cls_crt.yaml: 10 epochs of class-aware batches of
          512, lr 0.2, weight decay 5e-4, all but the classifier frozen,
          BatchNorm statistics moving).
Differs:  first stage of 180 epochs (rx50.py) instead of 90; Nesterov momentum;
          cosine without their early first step; the checkpoint is chosen on
          val.
Command:  tools/dist_train.sh configs/baselines/crt_rx50.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as a tenth of rx50.py.
Expect:   49.6 overall after a first stage of 90 epochs (Kang et al.).
Before:   tools/dist_train.sh configs/rx50.py 8 --amp
"""

_base_ = '../rx50.py'

stage_1 = 'work_dirs/rx50'  # its best checkpoint, or a file
max_epochs = 10

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
train_cfg = dict(max_epochs=max_epochs, val_interval=5)
