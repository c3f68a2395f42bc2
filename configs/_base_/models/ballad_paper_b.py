"""BALLAD's phase B as the paper describes it.

Source: section 2.2: Eq. 2 has a ReLU and a bias, a class is drawn uniformly
and then one of its images (q_j = 1/K), and the loss is L_v->l alone. It leaves
lambda and the optimizer open: the code's. The temperature is phase A's.
"""

_base_ = './ballad_official_b.py'

model = dict(
    neck=dict(activation='relu', bias=True),
    head=dict(loss='image_to_text', logit_scale='frozen'),
)
balanced_sampler = dict(samples_per_class=1)
