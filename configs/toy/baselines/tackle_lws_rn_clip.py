"""lws_rn_clip.py with retrieved images, on the toy world.

Command:  python tools/train.py configs/toy/baselines/tackle_lws_rn_clip.py
Hardware: 2 CPU cores, 1 minute.
Before:   python tools/train.py configs/toy/tackle_rn_clip.py
"""

_base_ = './lws_rn_clip.py'

manifest = '{{$LTVL_TOY_MANIFEST:work_dirs/toy/retrieved/manifest.parquet}}'
stage_1 = '{{$LTVL_TOY_TACKLE_CLIP_STAGE_1:work_dirs/tackle_rn_clip}}'

model = dict(stage_1=stage_1)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest=manifest,
        dataset=_base_.train_dataloader.dataset,
    )
)
