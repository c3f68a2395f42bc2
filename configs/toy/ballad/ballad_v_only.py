"""BALLAD, phase A of the image tower alone, on the emoji world.

Command:  python tools/train.py configs/toy/ballad/ballad_v_only.py
Hardware: 1 CPU core, 1 minute.
"""

_base_ = './ballad_a.py'

model = dict(head=dict(frozen=True))
