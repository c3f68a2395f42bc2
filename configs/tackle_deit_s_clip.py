"""TACKLE's DeiT-S and zero-shot CLIP ResNet-50, answering as one.

Source:   Table 7 of the TACKLE paper.
Differs:  CLIP, weights and scale are not public: choose them on val with
          tools/analysis_tools/tune_ensemble.py, or let tools/reproduce.py
          --table 7 do all of it.
Command:  python tools/test.py configs/tackle_deit_s_clip.py
Hardware: 1 GPU; minutes.
Expect:   74.3 many, 62.8 medium, 58.1 few, 66.6 overall (Table 7).
Before:   tools/dist_train.sh configs/tackle_deit_s.py 8 --amp
"""

_base_ = './deit_s.py'

arch = 'RN50-quickgelu'
pretrained = 'openai'  # open_clip's tag, or a file
student = 'work_dirs/tackle_deit_s'  # its best checkpoint, or a file

views = dict(
    student=_base_.test_pipeline_deit[1:], clip=_base_.test_pipeline[1:]
)
both_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='ltvl_mm.PackViews', views=views),
]
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
                class_names=_base_.class_names,
            ),
            data_preprocessor=dict(
                type='ClsDataPreprocessor',
                # CLIP's mean and std, times 255.
                mean=[122.7709383, 116.7460125, 104.09373615],
                std=[68.5005327, 66.6321579, 70.32316305],
                to_rgb=True,
            ),
        ),
    ),
    weights=dict(student=0.5, clip=0.5),
    scales=dict(clip=1.0),
    space='logit',
    checkpoints=dict(student=student),
)
val_dataloader = dict(dataset=dict(pipeline=both_pipeline))
test_dataloader = dict(dataset=dict(pipeline=both_pipeline))
# Its members are trained, each by its own config.
train_dataloader = train_cfg = optim_wrapper = param_scheduler = None
