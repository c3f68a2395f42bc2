r"""TADE: 3 experts of ResNeXt-50 on ImageNet-LT, as its authors train it.

Source:   Zhang et al. 2021 (arXiv 2107.09249), settings of its code
          (config_imagenet_lt_resnext50_tade.json): 180 epochs, batch 64, lr
          0.025 on a cosine without warm-up, Nesterov momentum, weight decay
          5e-4, tau 2. The mean of the experts predicts. For weights learned on
          test images (aggregate_experts.py), test_training_imagenet.py: rate
          0.025, weight decay 5e-4, views of MoCo v2, 5 passes.
Differs:  the checkpoint is chosen on val; theirs is the last one. Images are
          resized by OpenCV instead of Pillow.
Command:  tools/dist_train.sh \
              configs/tade/tade-official_rx50_8xb8-180e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_rx50_8xb64-180e_imagenet-lt.py, and half as many again.
Expect:   58.8 overall (Table 1 of the TACKLE paper).
"""

_base_ = [
    '../_base_/models/tade.py',
    '../ride/ride_rx50_8xb64-180e_imagenet-lt.py',
]

# Of tools/analysis_tools/aggregate_experts.py.
aggregation = dict(rate=0.025, weight_decay=5e-4)
aggregation_views = _base_.expert_views
max_epochs = 180

loss = dict(**_base_.tade_loss, num_classes=_base_.num_classes)
model = dict(head=dict(loss=loss))
train_dataloader = dict(batch_size=8)  # 64 images on 8 GPUs
optim_wrapper = dict(optimizer=dict(lr=0.025))
auto_scale_lr = dict(base_batch_size=64)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=max_epochs)]
custom_hooks = _base_.tade_hooks
