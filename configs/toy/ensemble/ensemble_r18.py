"""A small ResNet and the zero-shot toy CLIP as one model; emoji world.

Command:  python tools/test.py configs/toy/ensemble/ensemble_r18.py
Hardware: 1 CPU core, 20 seconds.
Before:   train configs/toy/cross_entropy/cross_entropy_r18.py;
          choose the weights with
          tools/analysis_tools/tune_ensemble.py.
"""

_base_ = '../cross_entropy/cross_entropy_r18.py'

arch = 'ltvl-toy'
pretrained = 'ltvl-toy'  # its weights come with the package

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
    checkpoints=dict(student='work_dirs/cross_entropy_r18'),
)
# Its members are trained, each by its own config.
train_dataloader = train_cfg = optim_wrapper = param_scheduler = None
custom_hooks = [dict(type='ltvl_mm.EpochSeedHook')]
