"""ride_from6.py with retrieved images, on the toy world.

Command:  python tools/train.py configs/toy/baselines/tackle_ride_from6.py
Hardware: 2 CPU cores, 4 minutes.
Before:   python tools/train.py configs/toy/baselines/tackle_ride6.py
"""

_base_ = './ride_from6.py'

manifest = '{{$LTVL_TOY_MANIFEST:work_dirs/toy/retrieved/manifest.parquet}}'
teacher_checkpoint = '{{$LTVL_TOY_TACKLE_TEACHER:work_dirs/tackle_ride6}}'

model = dict(teacher_checkpoint=teacher_checkpoint)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest=manifest,
        dataset=_base_.train_dataloader.dataset,
    )
)
