r"""TADE: 3 experts of ResNeXt-50 on ImageNet-LT.

Source:   Zhang et al. 2021 (arXiv 2107.09249) and its code
          (config_imagenet_lt_resnext50_tade.json), without test-time weights:
          the mean of the experts predicts.
Differs:  schedule of cross_entropy_rx50_8xb64-180e_imagenet-lt.py: batch 512
          and the same lr for each image, warm-up; the checkpoint is chosen on
          val. Theirs: tade-official_rx50_8xb8-180e_imagenet-lt.py.
Command:  tools/dist_train.sh \
              configs/tade/tade_rx50_8xb64-180e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_rx50_8xb64-180e_imagenet-lt.py, and half as many again.
Expect:   58.8 overall (Table 1 of the TACKLE paper).
"""

_base_ = [
    '../_base_/models/tade.py',
    '../ride/ride_rx50_8xb64-180e_imagenet-lt.py',
]

# Of tools/analysis_tools/aggregate_experts.py.
aggregation = dict(rate=0.025, weight_decay=5e-4)
aggregation_views = _base_.expert_views

loss = dict(**_base_.tade_loss, num_classes=_base_.num_classes)
model = dict(head=dict(loss=loss))
custom_hooks = _base_.tade_hooks
