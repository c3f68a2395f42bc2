r"""TADE: 3 experts of ResNet-50 on iNaturalist 2018, as its authors do.

Source:   Zhang et al. 2021 (arXiv 2107.09249), settings of its code
          (config_iNaturalist_resnet50_tade.json): 100 epochs, batch 512, lr
          0.2 with a warm-up of 5 epochs and steps at 60 and 80, Nesterov
          momentum, weight decay 2e-4, tau 1. The mean of the experts predicts,
          the last checkpoint is tested. For weights learned on test images
          (aggregate_experts.py), test_training_inat.py: rate 0.2, weight decay
          2e-4, entropy 0.01, views of MoCo v2, 5 passes.
Differs:  images are resized by OpenCV instead of Pillow.
Command:  tools/dist_train.sh \
              configs/tade/tade-official_r50_8xb64-100e_inat18.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_r50_8xb64-200e_inat18.py, three quarters.
Expect:   72.9 overall (Table 3 of the TACKLE paper).
"""

_base_ = [
    '../_base_/models/tade.py',
    '../ride/ride2-official_r50_8xb64-100e_inat18.py',
]

# Of tools/analysis_tools/aggregate_experts.py.
aggregation = dict(rate=0.2, weight_decay=2e-4, entropy_weight=0.01)
aggregation_views = _base_.expert_views_inat18

loss = dict(**_base_.tade_loss, num_classes=_base_.num_classes, tau=1.0)
model = dict(backbone=dict(num_experts=3), head=dict(num_experts=3, loss=loss))
custom_hooks = _base_.tade_hooks
