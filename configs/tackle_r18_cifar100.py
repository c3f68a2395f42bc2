"""TACKLE: ResNet-18 on CIFAR-100-LT and retrieved web images.

Source:   not in the TACKLE paper; all of it is ours.
Differs:  there is nothing to differ from.
Command:  python tools/train.py configs/tackle_r18_cifar100.py
Hardware: as r18_cifar100.py, for as many iterations; hours as there.
Expect:   no published number.
Before:   embed and retrieve, as for tackle_rx50.py.
"""

_base_ = './r18_cifar100.py'

manifest = 'data/retrieved/cifar100_lt/manifest.parquet'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest=manifest,
        dataset=_base_.train_dataloader.dataset,
    )
)
