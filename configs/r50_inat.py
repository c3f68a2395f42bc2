"""ResNet-50 on iNaturalist 2018 alone: what TACKLE is compared with.

Source:   the cross-entropy reference of Table 3 of the TACKLE paper; Kang et
          al. 2020 (arXiv 1910.09217) and its code
          (config/iNaturalist18/feat_unifrom.yaml: 90 epochs of batches of 512,
          lr 0.2 on a cosine, weight decay 1e-4).
Differs:  200 epochs, as in their text; warm-up; Nesterov momentum.
Command:  tools/dist_train.sh configs/r50_inat.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    about 8 on 8 x A100: 87.5 million images seen, estimated from 400
          images/s per GPU, not measured.
Expect:   61.7 overall after 90 epochs, 65.8 after 200 (Kang et al. 2020).
          There is no val list: the last checkpoint is tested.
"""

_base_ = [
    './_base_/datasets/inat18_clip.py',
    './_base_/datasets/cnn_224.py',
    './_base_/datasets/cnn_224_inat18.py',
    './_base_/default_runtime.py',
]

max_epochs = 200
epoch_size = 437_513  # images of the list, with and without retrieval

data_preprocessor = _base_.inat18_norm
model = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet', depth=50),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=_base_.num_classes,
        in_channels=2048,
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
    ),
)
train_dataloader = dict(
    sampler=dict(epoch_size=epoch_size),
    dataset=dict(pipeline=_base_.train_pipeline_inat18),
)
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline_cnn))

optim_wrapper = dict(
    optimizer=dict(
        type='SGD', lr=0.2, momentum=0.9, weight_decay=1e-4, nesterov=True
    )
)
auto_scale_lr = dict(base_batch_size=512)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, end=5, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        begin=5,
        end=max_epochs,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs)
