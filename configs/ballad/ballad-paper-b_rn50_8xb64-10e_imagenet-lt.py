r"""BALLAD, phase B as the paper writes it, CLIP ResNet-50 on ImageNet-LT.

Source:   section 2.2 of the paper: Eq. 2 has a ReLU and a bias, a class is
          drawn uniformly and then one of its images (q_j = 1/K), and the loss
          is L_v->l alone.
Differs:  what the paper leaves open: lambda, optimizer and epochs are those of
          the authors' code, in float32; the temperature is that of phase A.
Command:  tools/dist_train.sh \
    configs/ballad/ballad-paper-b_rn50_8xb64-10e_imagenet-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    as ballad-b_rn50_8xb64-10e_imagenet-lt.py.
Expect:   67.2 overall (Table 1).
"""

_base_ = './ballad-b_rn50_8xb64-10e_imagenet-lt.py'

# Its best checkpoint on val.
phase_a = 'work_dirs/ballad-paper-a_rn50_8xb64-50e_imagenet-lt'
balanced_sampler = dict(samples_per_class=1)

model = dict(
    backbone=dict(pretrained=phase_a),
    neck=dict(activation='relu', bias=True),
    head=dict(pretrained=phase_a, loss='image_to_text', logit_scale='frozen'),
)
train_dataloader = dict(sampler=balanced_sampler)
