"""100 epochs of SGD as the authors' code of RIDE has them; of TADE, too.

Source: CustomLR of the code of Wang et al. 2021 (arXiv 2010.01809) and of
Zhang et al. 2021 (arXiv 2107.09249), warmup_epoch 5, step1 60, step2 80.
"""

max_epochs = 100

optim_wrapper = dict(
    optimizer=dict(
        type='SGD', lr=0.2, momentum=0.9, weight_decay=2e-4, nesterov=True
    )
)
auto_scale_lr = dict(base_batch_size=512)
# Both change by epoch: 0.2, 0.4, ..., 1 of the rate in the first five.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, end=5),
    dict(type='MultiStepLR', milestones=[60, 80], gamma=0.1),
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs)
