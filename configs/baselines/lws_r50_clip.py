"""LWS: the lengths of the classifier of CLIP's ResNet-50 anew, on ImageNet-LT.

Source:   Kang et al. 2020 (arXiv 1910.09217) and its code, which has no config
          for CLIP weights (config/ImageNet_LT/cls_lws.yaml: 5 epochs of
          class-aware batches of 512, lr 0.2, weight decay 5e-4; only the
          scales are trained).
Differs:  first stage and its lr are r50_clip.py; how the row of the paper was
          trained is not public.
Command:  tools/dist_train.sh configs/baselines/lws_r50_clip.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as a tenth of r50_clip.py.
Expect:   52.1 overall (Table 1 of the TACKLE paper).
Before:   tools/dist_train.sh configs/r50_clip.py 8 --amp
"""

_base_ = '../r50_clip.py'

stage_1 = 'work_dirs/r50_clip'  # its best checkpoint, or a file
max_epochs = 5

model = dict(
    type='ltvl_mm.DecoupledClassifier',
    stage_1=stage_1,
    kept=['backbone', 'head.fc'],
    head=dict(type='ltvl_mm.LWSClsHead'),
    backbone=dict(pretrained=None),
)
train_dataloader = dict(
    sampler=dict(
        _delete_=True,
        type='ltvl_mm.ClassBalancedSampler',
        epoch_size=_base_.epoch_size,
        samples_per_class=4,
    )
)
param_scheduler = [
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, convert_to_iter_based=True
    )
]
train_cfg = dict(max_epochs=max_epochs)
