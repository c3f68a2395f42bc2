r"""cRT: the classifier of ResNeXt-50 anew, on ImageNet-LT.

Source:   Kang et al. 2020 (arXiv 1910.09217) and its code
          (config/ImageNet_LT/cls_crt.yaml: 10 epochs of class-aware batches of
          512, lr 0.2, weight decay 5e-4, all but the classifier frozen,
          BatchNorm statistics moving).
Differs:  first stage of 180 epochs
          (cross_entropy_rx50_8xb64-180e_imagenet-lt.py) instead of 90;
          Nesterov momentum; cosine without their early first step; the
          checkpoint is chosen on val.
Command:  tools/dist_train.sh \
              configs/crt/crt_rx50_8xb64-10e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as a tenth of
          cross_entropy_rx50_8xb64-180e_imagenet-lt.py.
Expect:   49.6 overall after a first stage of 90 epochs (Kang et al.).
Before:   tools/dist_train.sh \
    configs/cross_entropy/cross_entropy_rx50_8xb64-180e_imagenet-lt.py 8 --amp
"""

_base_ = [
    '../_base_/schedules/second_stage.py',
    '../cross_entropy/cross_entropy_rx50_8xb64-180e_imagenet-lt.py',
]

# Its best checkpoint, or a file.
stage_1 = 'work_dirs/cross_entropy_rx50_8xb64-180e_imagenet-lt'
max_epochs = 10

model = dict(type='ltvl_mm.DecoupledClassifier', stage_1=stage_1)
train_dataloader = dict(sampler=_base_.class_aware)
param_scheduler = [dict(_base_.cosine, T_max=max_epochs)]
train_cfg = dict(max_epochs=max_epochs)
