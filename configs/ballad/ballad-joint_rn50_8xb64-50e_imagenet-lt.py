r"""BALLAD without decoupling: towers and adapter trained at once.

Source:   Table 5 of the paper, second row.
Differs:  sampler, rate and epochs of the row are not public: phase A's for the
          towers, and phase B's rate for the adapter. Float32 weights (theirs:
          float16, updated in place); cosine without their early first step.
Command:  tools/dist_train.sh \
              configs/ballad/ballad-joint_rn50_8xb64-50e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    as ballad-a_rn50_8xb64-50e_imagenet-lt.py.
Expect:   66.0 overall (Table 5), against 67.2 decoupled.
"""

_base_ = './ballad-a_rn50_8xb64-50e_imagenet-lt.py'

model = dict(
    neck=dict(
        type='ltvl_mm.BalancedLinearAdapter',
        arch=_base_.arch,
        ratio=0.2,
        activation=None,
        bias=False,
    )
)
optim_wrapper = dict(
    # The adapter learns at 0.2, the towers at 1e-5.
    paramwise_cfg=dict(custom_keys={'neck': dict(lr_mult=2e4)})
)
