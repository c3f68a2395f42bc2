"""The toy world's TACKLE DeiT and its zero-shot CLIP, answering as one.

Command:  python tools/test.py configs/toy/tackle_deit_clip.py
Hardware: 2 CPU cores, 20 seconds.
Before:   python tools/train.py configs/toy/tackle_deit.py; choose the weights
          with tools/analysis_tools/tune_ensemble.py.
"""

_base_ = './tackle_deit.py'

arch = 'ltvl-toy'
pretrained = '{{$LTVL_TOY_CLIP:work_dirs/clip/epoch_5.pth}}'
student = '{{$LTVL_TOY_STUDENT:work_dirs/tackle_deit}}'

model = dict(
    _delete_=True,
    type='ltvl_mm.EnsembleClassifier',
    members=dict(
        student=_base_.model,
        clip=dict(
            type='ImageClassifier',
            backbone=dict(
                type='ltvl_mm.CLIPBackbone', arch=arch, pretrained=pretrained
            ),
            head=dict(
                type='ltvl_mm.CLIPContrastiveHead',
                arch=arch,
                pretrained=pretrained,
                class_names=_base_.data_root + '/class_names.txt',
            ),
        ),
    ),
    weights=dict(student=0.5, clip=0.5),
    scales=dict(clip=1.0),
    space='logit',
    checkpoints=dict(student=student),
)
# Its members are trained, each by its own config.
train_dataloader = train_cfg = optim_wrapper = param_scheduler = None
