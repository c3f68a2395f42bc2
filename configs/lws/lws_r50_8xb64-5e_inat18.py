r"""LWS: the lengths of the classifier of ResNet-50 anew, on iNaturalist 2018.

Source:   Kang et al. 2020 (arXiv 1910.09217) and its code
          (config/iNaturalist18/cls_lws.yaml: 5 epochs of class-aware batches
          of 512, lr 0.2, weight decay 1e-4; only the scales are trained).
Differs:  first stage of 200 epochs (cross_entropy_r50_8xb64-200e_inat18.py)
          instead of 90; Nesterov momentum; cosine without their early first
          step.
Command:  tools/dist_train.sh configs/lws/lws_r50_8xb64-5e_inat18.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as a tenth of
          cross_entropy_r50_8xb64-200e_inat18.py.
Expect:   65.9 overall (Table 3), after a first stage of 90 epochs.
Before:   tools/dist_train.sh \
    configs/cross_entropy/cross_entropy_r50_8xb64-200e_inat18.py 8 --amp
"""

_base_ = [
    '../_base_/schedules/second_stage.py',
    '../cross_entropy/cross_entropy_r50_8xb64-200e_inat18.py',
]

# Its last checkpoint (there is no val), or a file.
stage_1 = 'work_dirs/cross_entropy_r50_8xb64-200e_inat18'
max_epochs = 5

model = dict(stage_1=stage_1, **_base_.lws)
train_dataloader = dict(sampler=_base_.class_aware)
param_scheduler = [dict(_base_.cosine, T_max=max_epochs)]
train_cfg = dict(max_epochs=max_epochs)
