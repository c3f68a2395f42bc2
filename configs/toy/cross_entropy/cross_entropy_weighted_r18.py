r"""Cross-entropy with retrieved images weighed by their p_k; emoji world.

Command:  python tools/train.py \
              configs/toy/cross_entropy/cross_entropy_weighted_r18.py
Hardware: 1 CPU core, 1 minute.
Options:  --retrieved MANIFEST, of tools/retrieve.py
"""

_base_ = '../cross_entropy/cross_entropy_r18.py'

custom_hooks = [
    *_base_.custom_hooks,
    dict(type='ltvl_mm.RetrievedWeightHook', retrieved='probability'),
]
