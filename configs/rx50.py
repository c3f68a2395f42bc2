"""ResNeXt-50 32x4d on ImageNet-LT alone: what TACKLE is compared with.

Source:   the cross-entropy reference; Kang et al. 2020 (arXiv 1910.09217) and
          its code (config/ImageNet_LT/feat_uniform.yaml: 90 epochs of batches
          of 512, lr 0.2 on a cosine, weight decay 5e-4).
Differs:  180 epochs, as many iterations as tackle_rx50.py; warm-up; Nesterov
          momentum.
Command:  tools/dist_train.sh configs/rx50.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as tackle_rx50.py.
Expect:   about 44 to 48 overall: 44.4 after 90 epochs (Kang et al. 2020),
          48.0 after 180 (Zhang et al. 2021, arXiv 2107.09249).
"""

_base_ = './tackle_rx50.py'

train_dataloader = dict(
    dataset=dict(_delete_=True, **_base_.train_dataloader.dataset.dataset)
)
