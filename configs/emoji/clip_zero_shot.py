"""Zero-shot accuracy of the emoji world's CLIP, without a training image.

Command:  python tools/test.py configs/emoji/clip_zero_shot.py \
              work_dirs/clip/epoch_24.pth
Before:   python tools/dataset_converters/make_emoji_world.py data/emoji
Hardware: 2 CPU cores, 20 seconds.
"""

_base_ = ['../_base_/datasets/emoji_world.py', '../_base_/toy_runtime.py']

arch = 'ltvl-emoji'
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
