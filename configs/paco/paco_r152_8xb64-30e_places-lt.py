r"""PaCo: ResNet-152 on Places-LT.

Source:   Cui et al. 2021 (arXiv 2107.12028) and its code
          (PaCo/LT/paco_fp16_places.py: 30 epochs, 5 of them warm-up, batch
          128, lr 0.02, weight decay 5e-4, temperature 0.2, sim views twice).
          Of the convolutions only those of the last block train; so do all
          BatchNorms, the projector and the classifier.
Differs:  batch 512 and 4 times their lr; the checkpoint is chosen on val and
          tested on test, theirs on val alone.
Command:  tools/dist_train.sh \
              configs/paco/paco_r152_8xb64-30e_places-lt.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as
          cross_entropy_r152_8xb64-30e_places-lt.py, twice and a half.
Expect:   41.2 overall in Table 2 of the TACKLE paper; its code says of val and
          not of test. Ours is not measured.
"""

_base_ = [
    '../_base_/models/paco.py',
    '../_base_/datasets/contrast_views.py',
    '../cross_entropy/cross_entropy_r152_8xb64-30e_places-lt.py',
]

loss = dict(
    **_base_.paco_loss, num_classes=_base_.num_classes, temperature=0.2
)
model = dict(type='ltvl_mm.PaCoClassifier', head=dict(loss=loss))
train_dataloader = dict(dataset=dict(pipeline=_base_.sim_twice))
optim_wrapper = dict(optimizer=dict(lr=0.08), paramwise_cfg=_base_.last_block)
param_scheduler = _base_.places_scheduler
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
