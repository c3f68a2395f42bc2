"""Zero-shot accuracy of the toy world's CLIP, without any training image.

Command:  python tools/test.py configs/toy/clip_zero_shot.py \
              work_dirs/clip/epoch_5.pth
Hardware: 2 CPU cores, 10 seconds.
Expect:   about 70 % over 96 classes.
"""

_base_ = ['../_base_/datasets/toy_world.py', '../_base_/toy_runtime.py']

arch = 'ltvl-toy'
data_root = _base_.data_root

model = dict(
    type='ImageClassifier',
    backbone=dict(type='ltvl_mm.CLIPBackbone', arch=arch),
    head=dict(
        type='ltvl_mm.CLIPContrastiveHead',
        arch=arch,
        class_names=data_root + '/class_names.txt',
    ),
)

train_dataloader = None  # nothing is trained
val_cfg = dict()
test_cfg = dict()
