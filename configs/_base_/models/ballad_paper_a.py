"""BALLAD's phase A as the paper describes it.

Source: section 2.1: L_v->l + L_l->v within the batch, images of one class
being positives of each other. It leaves the temperature open (ours: learned,
from CLIP's) and names no optimizer: the rest is the code's.
"""

_base_ = './ballad_official_a.py'

model = dict(head=dict(loss='symmetric', logit_scale='learned'))
