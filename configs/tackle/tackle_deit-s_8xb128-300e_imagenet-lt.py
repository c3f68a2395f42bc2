r"""TACKLE: DeiT-S on ImageNet-LT and retrieved web images.

Source:   Table 6 of the TACKLE paper.
Differs:  n_k, temperature, schedule and augmentation are not public; those
          here are ours, as in cross_entropy_deit-s_8xb128-300e_imagenet-lt.py.
Command:  tools/dist_train.sh \
              configs/tackle/tackle_deit-s_8xb128-300e_imagenet-lt.py 8 --amp
Hardware: as cross_entropy_deit-s_8xb128-300e_imagenet-lt.py, for as many
          iterations; hours as there.
Expect:   73.2 many, 59.3 medium, 52.3 few, 63.7 overall (Table 6).
Before:   embed and retrieve, as for tackle_rx50.py.
"""

_base_ = '../cross_entropy/cross_entropy_deit-s_8xb128-300e_imagenet-lt.py'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        **_base_.retrieved,
        dataset=_base_.train_dataloader.dataset,
    )
)
