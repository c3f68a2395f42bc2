"""TACKLE on the toy world: the same DeiT, plus retrieved images.

Command:  python tools/train.py configs/toy/tackle_deit.py
Hardware: 2 CPU cores, 4 minutes.
"""

_base_ = './deit.py'

manifest = '{{$LTVL_TOY_MANIFEST:work_dirs/toy/retrieved/manifest.parquet}}'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest=manifest,
        dataset=_base_.train_dataloader.dataset,
    )
)
