"""Zero-shot accuracy of the emoji world's CLIP, without a training image.

Command:  python tools/test.py configs/toy/clip_zero_shot/clip_zero_shot.py
Before:   python tools/dataset_converters/make_emoji_world.py data/emoji
Hardware: 1 CPU core, 20 seconds.
Expect:   79 % over 96 classes (many 82, medium 79, few 76; seed 0).
"""

_base_ = [
    '../../_base_/datasets/emoji_world.py',
    '../../_base_/default_runtime.py',
]

arch = 'ltvl-toy'
pretrained = 'ltvl-toy'  # its weights come with the package
data_root = _base_.data_root

model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ltvl_mm.CLIPBackbone', arch=arch, pretrained=pretrained
    ),
    head=dict(
        type='ltvl_mm.CLIPContrastiveHead',
        arch=arch,
        pretrained=pretrained,
        class_names=data_root + '/class_names.txt',
    ),
)

train_dataloader = None  # nothing is trained
val_cfg = dict()
test_cfg = dict()
