"""BALLAD's phase B on the toy world, on target and retrieved images.

Command:  python tools/train.py configs/toy/tackle_ballad_b.py
Hardware: 2 CPU cores, 1 minute.
Before:   python tools/train.py configs/toy/tackle_ballad_a.py
"""

_base_ = './ballad_b.py'

manifest = '{{$LTVL_TOY_MANIFEST:work_dirs/toy/retrieved/manifest.parquet}}'
phase_a = '{{$LTVL_TOY_TACKLE_PHASE_A:work_dirs/tackle_ballad_a/epoch_5.pth}}'

model = dict(backbone=dict(pretrained=phase_a), head=dict(pretrained=phase_a))
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest=manifest,
        dataset=_base_.train_dataloader.dataset,
    )
)
