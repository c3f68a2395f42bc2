r"""TADE: 3 experts of ResNet-50 on iNaturalist 2018, as its authors do.

Source:   Zhang et al. 2021 (arXiv 2107.09249), settings of its code
          (config_iNaturalist_resnet50_tade.json): 100 epochs, batch 512, lr
          0.2 with a warm-up of 5 epochs and steps at 60 and 80, Nesterov
          momentum, weight decay 2e-4, tau 1. The mean of the experts
          predicts, the last checkpoint is tested. For weights learned on test
          images (aggregate_experts.py), test_training_inat.py: rate 0.2,
          weight decay 2e-4, entropy 0.01, views of MoCo v2, 5 passes.
Differs:  images are resized by OpenCV instead of Pillow.
Command:  tools/dist_train.sh \
              configs/baselines/tade_r50_inat_official.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as r50_inat.py, three quarters.
Expect:   72.9 overall (Table 3 of the TACKLE paper).
"""

_base_ = ['./tade_r50_inat.py', '../_base_/ride_official.py']

max_epochs = 100

train_dataloader = dict(batch_size=64)  # 512 images on 8 GPUs
optim_wrapper = dict(optimizer=dict(lr=0.2, weight_decay=2e-4))
auto_scale_lr = dict(base_batch_size=512)
param_scheduler = _base_.ride_scheduler
train_cfg = dict(max_epochs=max_epochs)
