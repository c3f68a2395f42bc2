"""TACKLE: DeiT-S on ImageNet-LT and retrieved web images.

Source:   Table 6 of the TACKLE paper.
Differs:  n_k, temperature, schedule and augmentation are not public; those
          here are ours, as in deit_s.py.
Command:  tools/dist_train.sh configs/tackle_deit_s.py 8 --amp
Hardware: as deit_s.py, for as many iterations; hours as there.
Expect:   73.2 many, 59.3 medium, 52.3 few, 63.7 overall (Table 6).
Before:   embed and retrieve, as for tackle_rx50.py.
"""

_base_ = './deit_s.py'

manifest = 'data/retrieved/imagenet_lt/manifest.parquet'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest=manifest,
        dataset=_base_.train_dataloader.dataset,
    )
)
