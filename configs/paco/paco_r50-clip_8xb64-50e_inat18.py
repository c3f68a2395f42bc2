r"""PaCo: ResNet-50 from CLIP's weights, on iNaturalist 2018.

Source:   Cui et al. 2021 (arXiv 2107.12028) and its code, which has no config
          for CLIP weights (PaCo/LT/sh: temperature, weights, queue, views and,
          for the projector, lr).
Differs:  all else is cross_entropy_r50-clip_8xb64-50e_imagenet-lt.py on
          iNaturalist 2018; how the row of the paper was trained is not public.
Command:  tools/dist_train.sh \
              configs/paco/paco_r50-clip_8xb64-50e_inat18.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as ballad-a_rn50_8xb64-50e_inat18.py,
          twice and a half.
Expect:   73.8 overall in Table 3 of the TACKLE paper; ours is not measured.
"""

_base_ = [
    '../_base_/models/rn50_clip_student.py',
    '../_base_/models/paco.py',
    '../_base_/datasets/clip.py',
    '../_base_/datasets/contrast_views.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/inat18.py',
]

data_preprocessor = dict(num_classes=_base_.num_classes, **_base_.clip_norm)
loss = dict(
    **_base_.paco_loss, num_classes=_base_.num_classes, temperature=0.2
)
model = dict(
    type='ltvl_mm.PaCoClassifier',
    head=dict(num_classes=_base_.num_classes, loss=loss),
)
train_dataloader = dict(
    dataset=dict(pipeline=_base_.contrast_pipelines.rand2_sim)
)
optim_wrapper = dict(
    # It starts at random: PaCo's rate of 0.02 for 128 images.
    paramwise_cfg=dict(custom_keys=dict(projector=dict(lr_mult=40)))
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
test_dataloader = _base_.clip_test
