r"""ResLT: ResNet-152 on Places-LT.

Source:   Cui et al. 2023 (arXiv 2101.10633); its code has no config for
          Places-LT.
Differs:  beta 0.99 and gamma 0.7 of its code for ImageNet-LT (choose gamma on
          val with tune_classifier.py); schedule of
          cross_entropy_r152_8xb64-30e_places-lt.py.
Command:  tools/dist_train.sh \
              configs/reslt/reslt_r152_8xb64-30e_places-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_r152_8xb64-30e_places-lt.py.
Expect:   39.8 overall (Table 2 of the TACKLE paper); ours is not measured.
"""

_base_ = [
    '../_base_/models/reslt.py',
    '../cross_entropy/cross_entropy_r152_8xb64-30e_places-lt.py',
]

loss = dict(**_base_.reslt_loss, num_classes=_base_.num_classes)
model = dict(
    neck=_base_.reslt_neck, head=dict(type='ltvl_mm.ResLTHead', loss=loss)
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
