r"""First stage of OLTR: ResNet-152 and a narrower feature, on Places-LT.

Source:   config/Places_LT/stage_1.py of the code of Liu et al. 2019 (arXiv
          1904.05160): 30 epochs, batch 128, lr 0.1 (features 0.001), weight
          decay 5e-4.
Differs:  torchvision's ImageNet weights, theirs are Caffe's; the checkpoint is
          chosen on val.
Command:  tools/dist_train.sh \
              configs/oltr/oltr-stage1_r152_8xb16-30e_places-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    about 1 on 8 x A100, estimated, not measured.
Expect:   not published; 30.2 overall without the narrower feature
          (cross_entropy_r152_8xb64-30e_places-lt.py).
"""

_base_ = [
    '../_base_/models/oltr.py',
    '../cross_entropy/cross_entropy_r152_8xb64-30e_places-lt.py',
]

model = dict(neck=_base_.narrow_neck, head=dict(in_channels=_base_.width))
train_dataloader = dict(batch_size=16)  # of each of 8 GPUs
optim_wrapper = dict(
    optimizer=dict(lr=0.1),
    paramwise_cfg=dict(
        custom_keys={
            'backbone': dict(lr_mult=0.01),
            'neck': dict(lr_mult=0.01),
        }
    ),
)
auto_scale_lr = dict(base_batch_size=128)
param_scheduler = [dict(type='MultiStepLR', milestones=[10, 20], gamma=0.1)]
