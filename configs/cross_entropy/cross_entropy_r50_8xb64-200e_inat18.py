r"""ResNet-50 on iNaturalist 2018 alone: what TACKLE is compared with.

Source:   the cross-entropy reference of Table 3 of the TACKLE paper; Kang et
          al. 2020 (arXiv 1910.09217) and its code
          (config/iNaturalist18/feat_unifrom.yaml: 90 epochs of batches of 512,
          lr 0.2 on a cosine, weight decay 1e-4).
Differs:  200 epochs, as in their text; warm-up; Nesterov momentum.
Command:  tools/dist_train.sh \
    configs/cross_entropy/cross_entropy_r50_8xb64-200e_inat18.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    about 8 on 8 x A100: 87.5 million images seen, estimated from 400
          images/s per GPU, not measured.
Expect:   61.7 overall after 90 epochs, 65.8 after 200 (Kang et al. 2020).
          There is no val list: the last checkpoint is tested.
"""

_base_ = [
    '../_base_/models/cnn_student.py',
    '../_base_/datasets/cnn_224.py',
    '../_base_/datasets/cnn_224_inat18.py',
    '../_base_/schedules/sgd_200e.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/inat18.py',
]

data_preprocessor = dict(num_classes=_base_.num_classes, **_base_.inat18_norm)
model = dict(
    backbone=dict(type='ResNet', depth=50),
    head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(
    sampler=dict(epoch_size=_base_.epoch_size),
    dataset=dict(pipeline=_base_.train_pipeline_inat18),
)
test_dataloader = _base_.cnn_test
