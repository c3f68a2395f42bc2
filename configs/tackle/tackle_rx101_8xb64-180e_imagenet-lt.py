r"""TACKLE: ResNeXt-101 32x4d on ImageNet-LT and retrieved web images.

Source:   Table 1 of the TACKLE paper.
Differs:  n_k, temperature, schedule and augmentation are not public; those
          here are ours, as in tackle_rx50.py.
Command:  tools/dist_train.sh \
              configs/tackle/tackle_rx101_8xb64-180e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    about 3.5 on 8 x A100, estimated, not measured.
Expect:   62.5 overall (Table 1).
Before:   embed and retrieve, as for tackle_rx50.py.
"""

_base_ = '../cross_entropy/cross_entropy_rx101_8xb64-180e_imagenet-lt.py'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        **_base_.retrieved,
        dataset=_base_.train_dataloader.dataset,
    )
)
