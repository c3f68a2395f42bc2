r"""LADE: ResNeXt-50 on ImageNet-LT.

Source:   Hong et al. 2021 (arXiv 2012.00321) and its code (README over its
          yaml: 180 epochs, batch 256, lr 0.05, weight decay 5e-4, alpha 0.05,
          lambda 0.5).
Differs:  schedule of cross_entropy_rx50_8xb64-180e_imagenet-lt.py: batch 512,
          lr 0.2 (twice theirs for each image), warm-up, Nesterov momentum;
          cosine without their early first step; the checkpoint is chosen on
          val.
Command:  tools/dist_train.sh \
              configs/lade/lade_rx50_8xb64-180e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_rx50_8xb64-180e_imagenet-lt.py.
Expect:   not in the TACKLE paper; ours is not measured.
"""

_base_ = '../cross_entropy/cross_entropy_rx50_8xb64-180e_imagenet-lt.py'

loss = dict(type='ltvl_mm.LADELoss', num_classes=_base_.num_classes)
model = dict(head=dict(loss=dict(_delete_=True, **loss)))
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
