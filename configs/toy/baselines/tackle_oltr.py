"""oltr.py with retrieved images, on the toy world.

Command:  python tools/train.py configs/toy/baselines/tackle_oltr.py
Hardware: 2 CPU cores, 1 minute.
Before:   python tools/train.py configs/toy/tackle_rx.py
"""

_base_ = './oltr.py'

manifest = '{{$LTVL_TOY_MANIFEST:work_dirs/toy/retrieved/manifest.parquet}}'
stage_1 = '{{$LTVL_TOY_TACKLE_STAGE_1:work_dirs/tackle_rx}}'

model = dict(stage_1=stage_1)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest=manifest,
        dataset=_base_.train_dataloader.dataset,
    )
)
