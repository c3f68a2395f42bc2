"""BALLAD, phase A of the text tower alone, on ImageNet-LT.

Source:   Table 4 of the paper, row "Language"; settings of ballad_rn50_a.py.
Differs:  float32 weights (theirs: float16, updated in place); cosine without
          their early first step.
Command:  tools/dist_train.sh configs/ballad_rn50_l_only.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    at most those of ballad_rn50_a.py.
Expect:   66.1 overall, 70.6 many, 65.4 medium, 55.9 few (Table 4).
"""

_base_ = './ballad_rn50_a.py'

model = dict(backbone=dict(frozen=True))
