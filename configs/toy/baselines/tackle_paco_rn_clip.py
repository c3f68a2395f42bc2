"""paco_rn_clip.py with retrieved images, on the toy world.

Command:  python tools/train.py configs/toy/baselines/tackle_paco_rn_clip.py
Hardware: 2 CPU cores, 2 minutes.
"""

_base_ = './paco_rn_clip.py'

manifest = '{{$LTVL_TOY_MANIFEST:work_dirs/toy/retrieved/manifest.parquet}}'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest=manifest,
        dataset=_base_.train_dataloader.dataset,
    )
)
