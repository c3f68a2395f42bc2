"""GPaCo: PaCo without a momentum encoder, both views taught; emoji world.

Command:  python tools/train.py configs/toy/gpaco/gpaco_r18.py
Hardware: 1 CPU core, 3 minutes.
"""

_base_ = '../paco/paco_r18.py'

model = dict(type='ltvl_mm.GPaCoClassifier')
