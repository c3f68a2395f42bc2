"""ride_routed.py with retrieved images, on the toy world.

Command:  python tools/train.py configs/toy/baselines/tackle_ride_routed.py
Hardware: 2 CPU cores, 1 minute.
Before:   python tools/train.py configs/toy/baselines/tackle_ride.py
"""

_base_ = './ride_routed.py'

manifest = '{{$LTVL_TOY_MANIFEST:work_dirs/toy/retrieved/manifest.parquet}}'
stage_1 = '{{$LTVL_TOY_TACKLE_RIDE:work_dirs/tackle_ride}}'

model = dict(stage_1=stage_1)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest=manifest,
        dataset=_base_.train_dataloader.dataset,
    )
)
