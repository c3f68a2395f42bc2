r"""BALLAD, phase B from cached features, CLIP ResNet-50 on ImageNet-LT.

Source:   as ballad-b_rn50_8xb64-10e_imagenet-lt.py.
Differs:  ten views of each image, as many as epochs, are made once; theirs are
          new in each epoch. Float32 weights (theirs: float16, updated in
          place); cosine without their early first step.
Command:  python tools/train.py \
              configs/ballad/ballad-b-cached_rn50_1xb512-10e_imagenet-lt.py
Hardware: 1 GPU, or a CPU; 5 GB of disk.
Hours:    minutes, after one pass per view of tools/cache_features.py.
Before:   python tools/cache_features.py \
    configs/ballad/ballad-b_rn50_8xb64-10e_imagenet-lt.py \
    -o work_dirs/ballad-b_rn50_8xb64-10e_imagenet-lt/cache --views 10
Expect:   67.2 overall (Table 1).
After:    the checkpoint holds no image tower; to test on images, give it to
          ballad-b_rn50_8xb64-10e_imagenet-lt.py, which takes the tower from
          phase A.
"""

_base_ = './ballad-b_rn50_8xb64-10e_imagenet-lt.py'

# Of tools/cache_features.py.
cache = 'work_dirs/ballad-b_rn50_8xb64-10e_imagenet-lt/cache'

made_by = dict(
    type='ltvl_mm.CachedFeatures',
    _delete_=True,
    backbone=_base_.model.backbone,
    data_preprocessor=_base_.data_preprocessor,
)
model = dict(
    backbone=dict(_delete_=True, type='ltvl_mm.IdentityBackbone', dim=1024)
)
data_preprocessor = dict(_delete_=True, num_classes=_base_.num_classes)
train_dataloader = dict(
    batch_size=512,
    collate_fn=dict(type='ltvl_mm.pack_labels'),
    dataset=dict(
        root=cache + '/train',
        dataset=_base_.train_dataloader.dataset,
        **made_by,
    ),
)
val_dataloader = dict(
    dataset=dict(
        root=cache + '/val', dataset=_base_.val_dataloader.dataset, **made_by
    )
)
test_dataloader = dict(
    dataset=dict(
        root=cache + '/test', dataset=_base_.test_dataloader.dataset, **made_by
    )
)
