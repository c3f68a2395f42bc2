"""A student and zero-shot CLIP ResNet-50 that predict as one."""

arch = 'RN50-quickgelu'
pretrained = 'openai'  # open_clip's tag, or a file

clip_member = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ltvl_mm.CLIPBackbone', arch=arch, pretrained=pretrained
    ),
    head=dict(
        type='ltvl_mm.CLIPContrastiveHead', arch=arch, pretrained=pretrained
    ),
)
ensemble = dict(
    type='ltvl_mm.EnsembleClassifier',
    weights=dict(student=0.5, clip=0.5),
    scales=dict(clip=1.0),
    space='logit',
)
