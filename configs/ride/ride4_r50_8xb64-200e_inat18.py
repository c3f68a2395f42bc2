r"""RIDE: 4 experts of ResNet-50 on iNaturalist 2018.

Source:   Wang et al. 2021 (arXiv 2010.01809) and its code
          (config_iNaturalist_resnet50_ride.json), 4 experts, without
          distillation and without routing: all experts predict.
Differs:  schedule of cross_entropy_r50_8xb64-200e_inat18.py: 200 epochs, lr
          0.2 on a cosine, weight decay 1e-4 instead of 2e-4; DRW in the last
          fifth.
Command:  tools/dist_train.sh \
              configs/ride/ride4_r50_8xb64-200e_inat18.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_r50_8xb64-200e_inat18.py, and half as many again.
Expect:   72.6 overall in Table 3 of the TACKLE paper is distilled: see
          ride4-from6_r50_8xb64-200e_inat18.py; ours is not measured.
"""

_base_ = './ride2_r50_8xb64-200e_inat18.py'

model = dict(backbone=dict(num_experts=4), head=dict(num_experts=4))
