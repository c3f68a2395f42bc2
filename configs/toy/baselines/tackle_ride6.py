"""ride6.py with retrieved images, on the toy world.

Command:  python tools/train.py configs/toy/baselines/tackle_ride6.py
Hardware: 2 CPU cores, 5 minutes.
"""

_base_ = './ride6.py'

manifest = '{{$LTVL_TOY_MANIFEST:work_dirs/toy/retrieved/manifest.parquet}}'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest=manifest,
        dataset=_base_.train_dataloader.dataset,
    )
)
