r"""RIDE routed: each image asks up to 3 experts of ResNeXt-50, on ImageNet-LT.

Source:   Wang et al. 2021 (arXiv 2010.01809) and its code
          (config_imagenet_lt_resnext50_ride_ea.json): 5 epochs of balanced
          batches of 512, lr 0.01 on a cosine, Nesterov momentum, weight decay
          5e-4, everything but the routers frozen, pos_weight 100.
Differs:  the first stage is ride_rx50_8xb64-180e_imagenet-lt.py, with its
          schedule and weight decay; the checkpoint is chosen on val.
Command:  tools/dist_train.sh \
              configs/ride/ride-routed_rx50_8xb64-5e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; minutes.
Expect:   55.7 overall, 67.0 many, 52.2 medium, 36.0 few (model zoo of its
          authors); how many experts that took they do not say. An image costs
          3.27 G multiply-adds with one expert, 4.68 G with two and 6.09 G with
          three.
Before:   tools/dist_train.sh \
              configs/ride/ride_rx50_8xb64-180e_imagenet-lt.py 8 --amp
"""

_base_ = [
    '../_base_/schedules/second_stage.py',
    './ride_rx50_8xb64-180e_imagenet-lt.py',
]

# Its best checkpoint, or a file.
stage_1 = 'work_dirs/ride_rx50_8xb64-180e_imagenet-lt'
max_epochs = 5

model = dict(
    type='ltvl_mm.RoutedClassifier',
    stage_1=stage_1,
    num_logits=50,
    pos_weight=100.0,
)
train_dataloader = dict(
    sampler=dict(
        _delete_=True,
        type='ltvl_mm.ClassBalancedSampler',
        epoch_size=_base_.epoch_size,
    )
)
test_evaluator = [
    _base_.test_evaluator,
    dict(_base_.test_evaluator, type='ltvl_mm.RoutingCost'),
]
optim_wrapper = dict(optimizer=dict(lr=0.01))
param_scheduler = [dict(_base_.cosine, T_max=max_epochs)]
train_cfg = dict(max_epochs=max_epochs)
# Without RIDE's, which re-weights in the end.
custom_hooks = [dict(type='ltvl_mm.EpochSeedHook')]
