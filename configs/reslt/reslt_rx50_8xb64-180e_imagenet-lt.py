r"""ResLT: ResNeXt-50 on ImageNet-LT.

Source:   Cui et al. 2023 (arXiv 2101.10633); beta 0.99 and gamma 0.7 of its
          code (ImageNetLT/sh, X50: 180 epochs, batch 256, lr 0.1, weight decay
          5e-4).
Differs:  schedule of cross_entropy_rx50_8xb64-180e_imagenet-lt.py: batch 512
          and lr 0.2, the same for each image; Nesterov momentum; the
          checkpoint is chosen on val, theirs on test.
Command:  tools/dist_train.sh \
              configs/reslt/reslt_rx50_8xb64-180e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_rx50_8xb64-180e_imagenet-lt.py.
Expect:   52.9 overall (Table 1 of the TACKLE paper); ours is not measured.
"""

_base_ = [
    '../_base_/models/reslt.py',
    '../cross_entropy/cross_entropy_rx50_8xb64-180e_imagenet-lt.py',
]

loss = dict(**_base_.reslt_loss, num_classes=_base_.num_classes)
model = dict(
    neck=_base_.reslt_neck, head=dict(type='ltvl_mm.ResLTHead', loss=loss)
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
