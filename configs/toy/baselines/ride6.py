"""RIDE with six experts, the teacher of ride_from6.py, on the toy world.

Command:  python tools/train.py configs/toy/baselines/ride6.py
Hardware: 2 CPU cores, 5 minutes.
"""

_base_ = './ride.py'

model = dict(backbone=dict(num_experts=6), head=dict(num_experts=6))
