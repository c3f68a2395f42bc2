r"""cRT: the classifier of ResNet-152 anew, on Places-LT.

Source:   Kang et al. 2020 (arXiv 1910.09217) and its code
          (config/Places_LT/cls_crt.yaml: 10 epochs of class-aware batches of
          256, lr 0.1, weight decay 5e-4).
Differs:  batch 512 and lr 0.2, the same for each image; the first stage is
          cross_entropy_r152_8xb64-30e_places-lt.py, whose config their code
          lacks; cosine without their early first step; the checkpoint is
          chosen on val.
Command:  tools/dist_train.sh \
              configs/crt/crt_r152_8xb64-10e_places-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as a tenth of
          cross_entropy_r152_8xb64-30e_places-lt.py.
Expect:   36.7 overall (Table 2 of the TACKLE paper).
Before:   tools/dist_train.sh \
    configs/cross_entropy/cross_entropy_r152_8xb64-30e_places-lt.py 8 --amp
"""

_base_ = [
    '../_base_/schedules/second_stage.py',
    '../cross_entropy/cross_entropy_r152_8xb64-30e_places-lt.py',
]

# Its best checkpoint, or a file.
stage_1 = 'work_dirs/cross_entropy_r152_8xb64-30e_places-lt'
max_epochs = 10

model = dict(
    type='ltvl_mm.DecoupledClassifier',
    stage_1=stage_1,
    backbone=dict(init_cfg=None),
)
train_dataloader = dict(sampler=_base_.class_aware)
optim_wrapper = dict(optimizer=dict(lr=0.2))
param_scheduler = [dict(_base_.cosine, T_max=max_epochs)]
train_cfg = dict(max_epochs=max_epochs)
