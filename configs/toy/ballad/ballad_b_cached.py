r"""BALLAD, phase B on the emoji world from cached features.

Command:  python tools/train.py configs/toy/ballad/ballad_b_cached.py
Hardware: 1 CPU core, seconds.
Before:   python tools/cache_features.py configs/toy/ballad/ballad_b.py \
              -o work_dirs/ballad_b/cache
"""

_base_ = './ballad_b.py'

cache = 'work_dirs/ballad_b/cache'

made_by = dict(
    type='ltvl_mm.CachedFeatures',
    _delete_=True,
    backbone=_base_.model.backbone,
    data_preprocessor=_base_.data_preprocessor,
)
# The list of images is read for its labels and dropped; to pack it for
# workers takes longer than an epoch.
read_once = dict(serialize_data=False)
model = dict(
    backbone=dict(_delete_=True, type='ltvl_mm.IdentityBackbone', dim=128)
)
data_preprocessor = dict(_delete_=True, num_classes=_base_.num_classes)
train_dataloader = dict(
    num_workers=0,
    collate_fn=dict(type='ltvl_mm.pack_labels'),
    dataset=dict(
        root=cache + '/train',
        dataset=dict(**_base_.train_dataloader.dataset, **read_once),
        **made_by,
    ),
)
val_dataloader = dict(
    num_workers=0,
    dataset=dict(
        root=cache + '/val',
        dataset=dict(**_base_.val_dataloader.dataset, **read_once),
        **made_by,
    ),
)
test_dataloader = dict(
    num_workers=0,
    dataset=dict(
        root=cache + '/test',
        dataset=dict(**_base_.test_dataloader.dataset, **read_once),
        **made_by,
    ),
)
# To write a checkpoint takes longer than an epoch.
default_hooks = dict(checkpoint=dict(interval=10))
