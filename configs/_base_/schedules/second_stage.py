"""Second stages of Kang et al. 2020 (arXiv 1910.09217): cRT and LWS.

Class-aware batches, and a cosine whose length is the leaf's.
"""

class_aware = dict(type='ltvl_mm.ClassBalancedSampler', samples_per_class=4)
cosine = dict(type='CosineAnnealingLR', convert_to_iter_based=True)
lws = dict(
    type='ltvl_mm.DecoupledClassifier',
    kept=['backbone', 'neck', 'head.fc'],
    head=dict(type='ltvl_mm.LWSClsHead'),
)
