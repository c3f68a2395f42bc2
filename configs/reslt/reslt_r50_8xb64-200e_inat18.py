r"""ResLT: ResNet-50 on iNaturalist 2018.

Source:   Cui et al. 2023 (arXiv 2101.10633); beta 0.85, two branches and gamma
          0.0 at test time as in its code (Inat/sh/R50.sh: 200 epochs, batch
          256, lr 0.1, weight decay 1e-4; Inat/iNaturalTrain_reslt.py).
Differs:  schedule of cross_entropy_r50_8xb64-200e_inat18.py: batch 512 and lr
          0.2, the same for each image; Nesterov momentum.
Command:  tools/dist_train.sh \
              configs/reslt/reslt_r50_8xb64-200e_inat18.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_r50_8xb64-200e_inat18.py.
Expect:   72.3 overall (Table 3 of the TACKLE paper); ours is not measured.
"""

_base_ = [
    '../_base_/models/reslt.py',
    '../cross_entropy/cross_entropy_r50_8xb64-200e_inat18.py',
]

loss = dict(
    **_base_.reslt_loss,
    num_classes=_base_.num_classes,
    beta=0.85,
    # 6,600 of 8,142 classes; there is no third branch.
    medium=6600 / 8142,
    tail=None,
)
model = dict(
    neck=dict(branches=2, **_base_.reslt_neck),
    head=dict(type='ltvl_mm.ResLTHead', gamma=0.0, loss=loss),
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
