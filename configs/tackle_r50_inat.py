"""TACKLE: ResNet-50 on iNaturalist 2018 and retrieved web images.

Source:   Table 3 of the TACKLE paper.
Differs:  n_k, temperature, schedule and augmentation are not public; those
          here are ours, as in r50_inat.py.
Command:  tools/dist_train.sh configs/tackle_r50_inat.py 8 --amp
Hardware: as r50_inat.py, for as many iterations; hours as there.
Expect:   74.4 overall (Table 3).
Before:   embed and retrieve, as for tackle_rx50.py.
"""

_base_ = './r50_inat.py'

manifest = 'data/retrieved/inat18/manifest.parquet'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest=manifest,
        dataset=_base_.train_dataloader.dataset,
    )
)
