"""Distillation of RIDE from a teacher of more experts.

Source: the code of Wang et al. 2021 (arXiv 2010.01809).
"""

distillation = dict(
    type='ltvl_mm.DistilledClassifier',
    temperature=1.5,
    distillation_weight=1.0,
)
