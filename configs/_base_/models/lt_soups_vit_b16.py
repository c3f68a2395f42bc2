"""LT-Soups with CLIP ViT-B/16: model, subset and schedule of a run.

Source: Aminbeidokhti et al. 2025 (arXiv 2511.10683, NeurIPS) and its code,
scripts/run_lt_soups.sh, utils/config.py and trainer.py.
"""

max_epochs = 10

# 10 epochs of the subset, but at least 100 steps of 128 images; with
# retrieved images as many as without.
lt_soups_sampler = dict(min_epoch_size=10 * 128, of_target=True)
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ltvl_mm.CLIPBackbone',
        arch='ViT-B-16-quickgelu',
        pretrained='openai',
        projection=False,
    ),
    head=dict(
        type='ltvl_mm.TextInitClsHead',
        arch='ViT-B-16-quickgelu',
        pretrained='openai',
        projection=False,
        scale=25.0,
        # Of a balanced subset, this is plain cross-entropy.
        loss=dict(type='ltvl_mm.LogitAdjustedLoss'),
    ),
)
optim_wrapper = dict(
    constructor='ltvl_mm.TrainableOptimWrapperConstructor',
    optimizer=dict(
        type='AdamW', lr=3e-5, betas=(0.9, 0.999), weight_decay=1e-2
    ),
)
auto_scale_lr = dict(base_batch_size=128)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, by_epoch=False, end=20),
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs,
        eta_min_ratio=0.1,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=max_epochs)
lt_soups_hooks = [
    dict(type='ltvl_mm.ClassCountsHook'),
    dict(type='EMAHook', momentum=0.01),  # decay 0.99
]
lt_soups_subset = dict(type='ltvl_mm.ImbalanceSubset', imbalance=1, seed=0)
# Stage 2: the classifier of the soup.
lt_soups_refit = dict(
    type='ltvl_mm.DecoupledClassifier',
    kept=('backbone',),
    begun=dict(head='head'),  # trained further, not anew
    freeze_bn=True,
)
