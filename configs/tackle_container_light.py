"""TACKLE: CONTAINER-Light on ImageNet-LT and retrieved web images.

Source:   Table 6 of the TACKLE paper.
Differs:  n_k, temperature, schedule and augmentation are not public; those
          here are ours, as in container_light.py.
Command:  tools/dist_train.sh configs/tackle_container_light.py 8 --amp
Hardware: as container_light.py, for as many iterations; hours as there.
Expect:   78.5 many, 62.8 medium, 50.2 few, 67.1 overall (Table 6).
Before:   embed and retrieve, as for tackle_rx50.py.
"""

_base_ = './container_light.py'

manifest = 'data/retrieved/imagenet_lt/manifest.parquet'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest=manifest,
        dataset=_base_.train_dataloader.dataset,
    )
)
