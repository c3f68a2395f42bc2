r"""BALLAD, phase A as the paper writes it, CLIP ResNet-50 on ImageNet-LT.

Source:   section 2.1 of the paper: L_v->l + L_l->v within the batch, images of
          one class being positives of each other.
Differs:  what the paper leaves open: the temperature is learned from CLIP's,
          optimizer and epochs are those of the authors' code, in float32.
Command:  tools/dist_train.sh \
    configs/ballad/ballad-paper-a_rn50_8xb64-50e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    as ballad-a_rn50_8xb64-50e_imagenet-lt.py.
Expect:   66.1 overall (Table 4), 67.2 after phase B (Table 1).
"""

_base_ = './ballad-a_rn50_8xb64-50e_imagenet-lt.py'

model = dict(head=dict(loss='symmetric', logit_scale='learned'))
