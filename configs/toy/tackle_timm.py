"""TACKLE on the toy world: the same ResNet, plus retrieved images.

Command:  python tools/train.py configs/toy/tackle_timm.py
Hardware: 2 CPU cores, 2 minutes.
"""

_base_ = './timm.py'

manifest = '{{$LTVL_TOY_MANIFEST:work_dirs/toy/retrieved/manifest.parquet}}'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest=manifest,
        dataset=_base_.train_dataloader.dataset,
    )
)
