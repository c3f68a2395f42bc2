"""BALLAD, phase B as the paper writes it, CLIP ResNet-50 on ImageNet-LT.

Source:   section 2.2 of the paper, _base_/ballad_paper_b.py: that preset in
          the place of the authors' code's.
Differs:  what the paper leaves open: lambda, optimizer and epochs are those of
          the authors' code, in float32; the temperature is that of phase A.
Command:  tools/dist_train.sh configs/ballad_rn50_paper_b.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    as ballad_rn50_b.py.
Expect:   67.2 overall (Table 1).
"""

_base_ = [
    './_base_/datasets/imagenet_lt_clip.py',
    './_base_/ballad_paper_b.py',
    './_base_/default_runtime.py',
]

arch = 'RN50-quickgelu'
phase_a = 'work_dirs/ballad_rn50_paper_a'  # its best checkpoint on val
class_names = _base_.class_names
epoch_size = 115_712  # 226 batches of 512, as in phase A

model = dict(
    backbone=dict(arch=arch, pretrained=phase_a),
    neck=dict(arch=arch),
    head=dict(arch=arch, pretrained=phase_a, class_names=class_names),
)
train_dataloader = dict(
    sampler=dict(epoch_size=epoch_size, **_base_.balanced_sampler)
)
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))
