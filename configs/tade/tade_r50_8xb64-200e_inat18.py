r"""TADE: 3 experts of ResNet-50 on iNaturalist 2018.

Source:   Zhang et al. 2021 (arXiv 2107.09249) and its code
          (config_iNaturalist_resnet50_tade.json), without test-time weights:
          the mean of the experts predicts.
Differs:  schedule of cross_entropy_r50_8xb64-200e_inat18.py: 200 epochs on a
          cosine, weight decay 1e-4 instead of 2e-4. Theirs:
          tade-official_r50_8xb64-100e_inat18.py.
Command:  tools/dist_train.sh \
              configs/tade/tade_r50_8xb64-200e_inat18.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_r50_8xb64-200e_inat18.py, and half as many again.
Expect:   72.9 overall (Table 3 of the TACKLE paper).
"""

_base_ = [
    '../_base_/models/tade.py',
    '../ride/ride2_r50_8xb64-200e_inat18.py',
]

# Of tools/analysis_tools/aggregate_experts.py.
aggregation = dict(rate=0.2, weight_decay=2e-4, entropy_weight=0.01)
aggregation_views = _base_.expert_views_inat18

loss = dict(**_base_.tade_loss, num_classes=_base_.num_classes, tau=1.0)
model = dict(backbone=dict(num_experts=3), head=dict(num_experts=3, loss=loss))
custom_hooks = _base_.tade_hooks
