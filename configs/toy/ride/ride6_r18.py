"""RIDE with six experts, the teacher of ride_from6_r18.py; emoji world.

Command:  python tools/train.py configs/toy/ride/ride6_r18.py
Hardware: 1 CPU core, 3 minutes.
"""

_base_ = './ride_r18.py'

model = dict(backbone=dict(num_experts=6), head=dict(num_experts=6))
