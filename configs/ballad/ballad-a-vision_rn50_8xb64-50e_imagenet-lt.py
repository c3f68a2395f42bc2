r"""BALLAD, phase A of the image tower alone, on ImageNet-LT.

Source:   Table 4 of the paper, row "Vision"; settings of
          ballad-a_rn50_8xb64-50e_imagenet-lt.py.
Differs:  float32 weights (theirs: float16, updated in place); cosine without
          their early first step.
Command:  tools/dist_train.sh \
    configs/ballad/ballad-a-vision_rn50_8xb64-50e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    at most those of ballad-a_rn50_8xb64-50e_imagenet-lt.py.
Expect:   66.3 overall, 70.4 many, 65.4 medium, 58.0 few (Table 4).
"""

_base_ = './ballad-a_rn50_8xb64-50e_imagenet-lt.py'

model = dict(head=dict(frozen=True))
