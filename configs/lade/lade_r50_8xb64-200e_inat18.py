r"""LADE: ResNet-50 on iNaturalist 2018.

Source:   Hong et al. 2021 (arXiv 2012.00321) and its code (README over its
          yaml: 200 epochs, batch 256, lr 0.1, weight decay 1e-4, alpha 0.05,
          lambda 0.5).
Differs:  schedule of cross_entropy_r50_8xb64-200e_inat18.py: batch 512 and lr
          0.2, the same for each image; warm-up; Nesterov momentum; cosine
          without their early first step.
Command:  tools/dist_train.sh \
              configs/lade/lade_r50_8xb64-200e_inat18.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_r50_8xb64-200e_inat18.py.
Expect:   69.3 overall in Table 3 of the TACKLE paper, which is the PC softmax
          of LADE's own; ours is not measured.
"""

_base_ = '../cross_entropy/cross_entropy_r50_8xb64-200e_inat18.py'

loss = dict(type='ltvl_mm.LADELoss', num_classes=_base_.num_classes)
model = dict(head=dict(loss=dict(_delete_=True, **loss)))
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
