r"""TACKLE's DeiT-S and zero-shot CLIP ResNet-50 as one model.

Source:   Table 7 of the TACKLE paper.
Differs:  CLIP, weights and scale are not public: choose them on val with
          tools/analysis_tools/tune_ensemble.py, or let tools/reproduce.py
          --table 7 do all of it.
Command:  python tools/test.py configs/ensemble/ensemble_deit-s_imagenet-lt.py
Hardware: 1 GPU; minutes.
Expect:   74.3 many, 62.8 medium, 58.1 few, 66.6 overall (Table 7).
Before:   tools/dist_train.sh \
              configs/tackle/tackle_deit-s_8xb128-300e_imagenet-lt.py 8 --amp
"""

_base_ = [
    '../_base_/models/clip_ensemble.py',
    '../_base_/datasets/clip.py',
    '../cross_entropy/cross_entropy_deit-s_8xb128-300e_imagenet-lt.py',
]

# Its best checkpoint, or a file.
student = 'work_dirs/tackle_deit-s_8xb128-300e_imagenet-lt'

views = dict(
    student=_base_.test_pipeline_deit[1:], clip=_base_.test_pipeline[1:]
)
both_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='ltvl_mm.PackViews', views=views),
]
model = dict(
    _delete_=True,
    **_base_.ensemble,
    members=dict(
        student=_base_.model,
        clip=dict(
            _base_.clip_member,
            head=dict(_base_.clip_member.head, class_names=_base_.class_names),
            data_preprocessor=dict(
                type='ClsDataPreprocessor', **_base_.clip_norm
            ),
        ),
    ),
    checkpoints=dict(student=student),
)
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=both_pipeline))
# Its members are trained, each by its own config.
train_dataloader = train_cfg = optim_wrapper = param_scheduler = None
