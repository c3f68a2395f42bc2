"""RIDE: 3 experts of ResNet-50 on ImageNet-LT, as its authors train it.

Source:   Wang et al. 2021 (arXiv 2010.01809), settings of its code
          (config_imagenet_lt_resnet50_ride.json): 100 epochs, batch 256,
          lr 0.1 with a warm-up of 5 epochs and steps at 60 and 80,
          Nesterov momentum, weight decay 2e-4, DRW after epoch 80.
Differs:  the checkpoint is chosen on val; theirs is the last one.
          Without routing: all experts predict.
Command:  tools/dist_train.sh configs/baselines/ride_r50_official.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as r50.py, nearly.
Expect:   55.4 overall (Table 1 of the TACKLE paper); ours is not measured.
"""

_base_ = ['./ride_r50.py', '../_base_/ride_official.py']

max_epochs = 100

train_dataloader = dict(batch_size=32)  # 256 images on 8 GPUs
optim_wrapper = dict(optimizer=dict(lr=0.1, weight_decay=2e-4))
auto_scale_lr = dict(base_batch_size=256)
param_scheduler = _base_.ride_scheduler
train_cfg = dict(max_epochs=max_epochs)
custom_hooks = [
    dict(type='ltvl_mm.EpochSeedHook'),
    dict(
        type='SwitchRecipeHook',
        schedule=[
            dict(action_epoch=81, loss=dict(**_base_.loss, beta=0.9999))
        ],
    ),
    dict(type='ltvl_mm.ClassCountsHook'),
]
