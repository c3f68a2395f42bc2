r"""Balanced softmax: the classifier of ResNet-152, on Places-LT.

Source:   Ren et al. 2020 (arXiv 2007.10740) and its code
          (config/Places_LT/decouple_balanced_softmax.yaml): 10 epochs of the
          classifier alone on a frozen first stage, without re-sampling, batch
          256, lr 0.02, weight decay 5e-4, cosine.
Differs:  the first stage is r152_places.py, whose config their code lacks;
          cosine without their early first step; the checkpoint is chosen on
          val.
Command:  tools/dist_train.sh \
              configs/baselines/balanced_softmax_r152_places_official.py 8
Hardware: 8 GPUs of 24 GB or more; hours as a third of r152_places.py.
Expect:   38.6 overall (Table 2 of the TACKLE paper); ours is not measured.
Before:   tools/dist_train.sh configs/r152_places.py 8 --amp
"""

_base_ = './balanced_softmax_r152_places.py'

stage_1 = 'work_dirs/r152_places'  # its best checkpoint, or a file
max_epochs = 10

model = dict(
    type='ltvl_mm.DecoupledClassifier',
    stage_1=stage_1,
    backbone=dict(init_cfg=None),
)
train_dataloader = dict(batch_size=32)  # 256 images on 8 GPUs
optim_wrapper = dict(optimizer=dict(lr=0.02))
auto_scale_lr = dict(base_batch_size=256)
param_scheduler = [
    dict(
        type='CosineAnnealingLR', T_max=max_epochs, convert_to_iter_based=True
    )
]
train_cfg = dict(max_epochs=max_epochs)
