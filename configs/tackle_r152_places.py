"""TACKLE: ResNet-152 on Places-LT and retrieved web images.

Source:   Table 2 of the TACKLE paper.
Differs:  n_k, temperature, schedule and augmentation are not public; those
          here are ours, as in r152_places.py.
Command:  tools/dist_train.sh configs/tackle_r152_places.py 8 --amp
Hardware: as r152_places.py, for as many iterations; hours as there.
Expect:   42.6 overall (Table 2).
Before:   embed and retrieve, as for tackle_rx50.py.
"""

_base_ = './r152_places.py'

manifest = 'data/retrieved/places_lt/manifest.parquet'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest=manifest,
        dataset=_base_.train_dataloader.dataset,
    )
)
