"""GPaCo: PaCo without a momentum encoder, both views taught; toy world.

Command:  python tools/train.py configs/toy/baselines/gpaco.py
Hardware: 2 CPU cores, 3 minutes.
"""

_base_ = './paco.py'

model = dict(type='ltvl_mm.GPaCoClassifier')
