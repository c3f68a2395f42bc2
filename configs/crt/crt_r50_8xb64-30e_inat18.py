r"""cRT: the classifier of ResNet-50 anew, on iNaturalist 2018.

Source:   Kang et al. 2020 (arXiv 1910.09217) and its code
          (config/iNaturalist18/cls_crt.yaml: 30 epochs of class-aware batches
          of 512, lr 0.2, weight decay 1e-4).
Differs:  warm-up in the first stage, 200 epochs as theirs; Nesterov momentum;
          cosine without their early first step.
Command:  tools/dist_train.sh configs/crt/crt_r50_8xb64-30e_inat18.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as a sixth of
          cross_entropy_r50_8xb64-200e_inat18.py.
Expect:   67.6 overall (Table 3 of the TACKLE paper).
Before:   tools/dist_train.sh \
    configs/cross_entropy/cross_entropy_r50_8xb64-200e_inat18.py 8 --amp
"""

_base_ = [
    '../_base_/schedules/second_stage.py',
    '../cross_entropy/cross_entropy_r50_8xb64-200e_inat18.py',
]

# Its last checkpoint (there is no val), or a file.
stage_1 = 'work_dirs/cross_entropy_r50_8xb64-200e_inat18'
max_epochs = 30

model = dict(type='ltvl_mm.DecoupledClassifier', stage_1=stage_1)
train_dataloader = dict(sampler=_base_.class_aware)
param_scheduler = [dict(_base_.cosine, T_max=max_epochs)]
train_cfg = dict(max_epochs=max_epochs)
