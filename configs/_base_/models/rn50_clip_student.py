"""ResNet-50 with CLIP's weights and a linear classifier: "RN50 CLIP".

Source: none; the TACKLE paper compares with tau-normalized, LWS and PaCo from
CLIP's weights, and does not say how they were trained. Ours: the attention
pooling stays and BatchNorm statistics do not change, as in BALLAD's code,
whose 50 epochs these are. The tower's rate is the best that Shi et al. 2024
(arXiv 2309.10019) found for all of CLIP, 0.0005 for 128 images; the classifier
starts at random and has that of Kang et al. 2020, 0.2. Gradients are clipped,
as Wortsman et al. 2022 (arXiv 2109.01903) clip CLIP's.
"""

max_epochs = 50

model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ltvl_mm.CLIPBackbone',
        arch='RN50-quickgelu',
        pretrained='openai',  # open_clip's tag, or a file
    ),
    head=dict(
        type='LinearClsHead',
        in_channels=1024,
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
    ),
)
optim_wrapper = dict(
    # Not AdamW: on a world of drawn shapes it made the vectors of classes
    # equally long, so that tau had nothing to change.
    optimizer=dict(type='SGD', lr=0.002, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=100))),
    # Nothing in CLIP's own loss bounds how long features are.
    clip_grad=dict(max_norm=1.0),
)
auto_scale_lr = dict(base_batch_size=512)
param_scheduler = [
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, convert_to_iter_based=True
    )
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs)
