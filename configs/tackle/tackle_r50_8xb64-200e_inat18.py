r"""TACKLE: ResNet-50 on iNaturalist 2018 and retrieved web images.

Source:   Table 3 of the TACKLE paper.
Differs:  n_k, temperature, schedule and augmentation are not public; those
          here are ours, as in cross_entropy_r50_8xb64-200e_inat18.py.
Command:  tools/dist_train.sh \
              configs/tackle/tackle_r50_8xb64-200e_inat18.py 8 --amp
Hardware: as cross_entropy_r50_8xb64-200e_inat18.py, for as many iterations;
          hours as there.
Expect:   74.4 overall (Table 3).
Before:   embed and retrieve, as for tackle_rx50.py.
"""

_base_ = '../cross_entropy/cross_entropy_r50_8xb64-200e_inat18.py'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        **_base_.retrieved,
        dataset=_base_.train_dataloader.dataset,
    )
)
