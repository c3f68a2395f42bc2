"""BALLAD, phase A of the text tower alone, on the toy world.

Command:  python tools/train.py configs/toy/ballad_l_only.py
Hardware: 2 CPU cores, 1 minute.
Before:   python tools/train.py configs/toy/clip.py
"""

_base_ = './ballad_a.py'

model = dict(backbone=dict(frozen=True))
