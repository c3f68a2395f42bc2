r"""Balanced softmax: ResNet-152 on Places-LT.

Source:   Ren et al. 2020 (arXiv 2007.10740) and its code
          (config/Places_LT/decouple_balanced_softmax.yaml), which trains the
          classifier alone on a frozen first stage: see
          balanced_softmax-decoupled_r152_8xb32-10e_places-lt.py.
Differs:  here the whole network is trained; schedule of
          cross_entropy_r152_8xb64-30e_places-lt.py (30 epochs, batch 512, lr
          0.02, weight decay 5e-4; torchvision weights).
Command:  tools/dist_train.sh \
    configs/balanced_softmax/balanced_softmax_r152_8xb64-30e_places-lt.py 8
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_r152_8xb64-30e_places-lt.py.
Expect:   38.6 overall in Table 2 of the TACKLE paper, after other and longer
          schedules; ours is not measured.
"""

_base_ = '../cross_entropy/cross_entropy_r152_8xb64-30e_places-lt.py'

loss = dict(type='ltvl_mm.LogitAdjustedLoss', num_classes=_base_.num_classes)
model = dict(head=dict(loss=dict(_delete_=True, **loss)))
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
