"""BALLAD's phase B on the toy world, on target and retrieved images.

Command:  python tools/train.py configs/toy/tackle_ballad_b.py
Hardware: 2 CPU cores, 1 minute.
Before:   as for ballad_b.py, and retrieve.
"""

_base_ = './ballad_b.py'

manifest = '{{$LTVL_TOY_MANIFEST:work_dirs/toy/retrieved/manifest.parquet}}'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest=manifest,
        dataset=_base_.train_dataloader.dataset,
    )
)
