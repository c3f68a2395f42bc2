"""BALLAD, phase A of the text tower alone, on the emoji world.

Command:  python tools/train.py configs/toy/ballad/ballad_l_only.py
Hardware: 1 CPU core, 1 minute.
"""

_base_ = './ballad_a.py'

model = dict(backbone=dict(frozen=True))
