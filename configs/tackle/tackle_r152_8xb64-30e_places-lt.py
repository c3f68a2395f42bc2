r"""TACKLE: ResNet-152 on Places-LT and retrieved web images.

Source:   Table 2 of the TACKLE paper.
Differs:  n_k, temperature, schedule and augmentation are not public; those
          here are ours, as in cross_entropy_r152_8xb64-30e_places-lt.py.
Command:  tools/dist_train.sh \
              configs/tackle/tackle_r152_8xb64-30e_places-lt.py 8 --amp
Hardware: as cross_entropy_r152_8xb64-30e_places-lt.py, for as many iterations;
          hours as there.
Expect:   42.6 overall (Table 2).
Before:   embed and retrieve, as for tackle_rx50.py.
"""

_base_ = '../cross_entropy/cross_entropy_r152_8xb64-30e_places-lt.py'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        **_base_.retrieved,
        dataset=_base_.train_dataloader.dataset,
    )
)
