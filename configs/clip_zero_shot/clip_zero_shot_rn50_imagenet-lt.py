r"""Zero-shot CLIP ResNet-50 on the test list of ImageNet-LT.

Source:   the row without training of Table 4: one prompt per class.
Differs:  nothing known: the prompt is that of the authors' code for BALLAD.
Command:  python tools/test.py \
              configs/clip_zero_shot/clip_zero_shot_rn50_imagenet-lt.py
Hardware: 1 GPU; minutes.
Expect:   58.2 overall, 59.4 many, 57.5 medium, 57.6 few (Table 4).
"""

_base_ = [
    '../_base_/datasets/clip.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/imagenet_lt.py',
]

arch = 'RN50-quickgelu'
pretrained = 'openai'  # open_clip's tag, or a file

data_preprocessor = dict(num_classes=_base_.num_classes, **_base_.clip_norm)
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ltvl_mm.CLIPBackbone', arch=arch, pretrained=pretrained
    ),
    head=dict(
        type='ltvl_mm.CLIPContrastiveHead',
        arch=arch,
        pretrained=pretrained,
        class_names=_base_.class_names,
        templates='single',  # 'openai_80' for CLIP's ensemble
    ),
)
train_dataloader = None  # nothing is trained
val_dataloader = test_dataloader = _base_.clip_test
