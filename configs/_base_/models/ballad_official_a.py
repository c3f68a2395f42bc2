"""BALLAD's phase A as its authors' code trains it.

Source: github.com/gaopengcuhk/BALLAD at its last commit, 2022-02-20: one
prompt per class, cross-entropy over the prompts of all classes, logit scale
100, both towers at one learning rate, BatchNorm statistics never updated.
Ours: fp32 master weights where the code updates fp16 ones in place, and the
usual cosine where it steps before each epoch, so that its last has rate 0.
"""

max_epochs = 50
arch = 'RN50-quickgelu'
pretrained = 'openai'  # open_clip's tag, or a file

model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ltvl_mm.CLIPBackbone',
        arch=arch,
        pretrained=pretrained,
        freeze_bn=True,
    ),
    head=dict(
        type='ltvl_mm.CLIPContrastiveHead',
        arch=arch,
        pretrained=pretrained,
        templates='single',
        loss='class_ce',
        logit_scale=100,
    ),
)
optim_wrapper = dict(
    constructor='ltvl_mm.TrainableOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=1e-5, momentum=0.9, weight_decay=5e-4),
)
auto_scale_lr = dict(base_batch_size=512)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=max_epochs)]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs)
