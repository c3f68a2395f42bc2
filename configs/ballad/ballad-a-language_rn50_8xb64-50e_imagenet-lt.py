r"""BALLAD, phase A of the text tower alone, on ImageNet-LT.

Source:   Table 4 of the paper, row "Language"; settings of
          ballad-a_rn50_8xb64-50e_imagenet-lt.py.
Differs:  float32 weights (theirs: float16, updated in place); cosine without
          their early first step.
Command:  tools/dist_train.sh \
    configs/ballad/ballad-a-language_rn50_8xb64-50e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    at most those of ballad-a_rn50_8xb64-50e_imagenet-lt.py.
Expect:   66.1 overall, 70.6 many, 65.4 medium, 55.9 few (Table 4).
"""

_base_ = './ballad-a_rn50_8xb64-50e_imagenet-lt.py'

model = dict(backbone=dict(frozen=True))
