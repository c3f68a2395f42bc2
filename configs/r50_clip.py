"""ResNet-50 from CLIP's weights on ImageNet-LT alone.

Source:   the cross-entropy reference of the rows "RN50 CLIP" of Table 1 of the
          TACKLE paper.
Differs:  the protocol is not public; ours: _base_/rn50_clip_student.py.
Command:  tools/dist_train.sh configs/r50_clip.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as ballad_rn50_a.py, or less.
Expect:   the paper gives no number; tau-normalised 51.3 (Table 1).
"""

_base_ = [
    './_base_/datasets/imagenet_lt_clip.py',
    './_base_/rn50_clip_student.py',
    './_base_/default_runtime.py',
]

epoch_size = 115_846  # images of ImageNet-LT, with and without retrieval

model = dict(head=dict(num_classes=_base_.num_classes))
train_dataloader = dict(sampler=dict(epoch_size=epoch_size))
train_cfg = dict(val_interval=5)
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))
