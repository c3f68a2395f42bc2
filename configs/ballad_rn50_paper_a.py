"""BALLAD, phase A as the paper writes it, CLIP ResNet-50 on ImageNet-LT.

Source:   section 2.1 of the paper, _base_/ballad_paper_a.py: that preset in
          the place of the authors' code's.
Differs:  what the paper leaves open: the temperature is learned from CLIP's,
          optimizer and epochs are those of the authors' code, in float32.
Command:  tools/dist_train.sh configs/ballad_rn50_paper_a.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    as ballad_rn50_a.py.
Expect:   66.1 overall (Table 4), 67.2 after phase B (Table 1).
"""

_base_ = [
    './_base_/datasets/imagenet_lt_clip.py',
    './_base_/ballad_paper_a.py',
    './_base_/default_runtime.py',
]

arch = 'RN50-quickgelu'
pretrained = 'openai'  # open_clip's tag, or a file
class_names = _base_.class_names

model = dict(
    backbone=dict(arch=arch, pretrained=pretrained),
    head=dict(arch=arch, pretrained=pretrained, class_names=class_names),
)
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))
