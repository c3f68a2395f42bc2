"""Baselines see images, and train weights, as their authors' code says."""

import numpy as np
import pytest
import torch
from leaves import CONFIGS as ROOT
from leaves import load_leaf
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.optim.scheduler import LinearLR, MultiStepLR
from mmengine.registry import DefaultScope
from torch import nn

from ltvl_mm.registry import MODELS

INAT = sorted(
    path.relative_to(ROOT).as_posix()
    for path in ROOT.glob('*/*_r50_*_inat18.py')
    if '_base_' not in path.parts
)


def load(name):
    return Config.fromfile(ROOT / name)


def list_types(pipeline):
    return [step.type for step in pipeline]


@pytest.mark.parametrize(
    'name', ['lift_vit-b16', 'lift-lora_vit-b16', 'lift_vit-l14']
)
def test_lift_crops_and_flips_alone_and_cuts_a_border_off_at_test(name):
    cfg = load_leaf(name)
    _, crop, flip, _ = cfg.train_dataloader.dataset.pipeline
    assert (crop.type, flip.type) == ('RandomResizedCrop', 'RandomFlip')
    assert 'crop_ratio_range' not in crop  # mmpretrain's is (0.08, 1)
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        _, resize, center, _ = loader.dataset.pipeline
        assert (resize.scale, center.crop_size) == (256, 224)


# Images of a step, epochs, width of the adapters.
LIFT_PLUS = {
    'imagenet-lt': (128, 5, 32),
    'places-lt': (128, 5, 8),
    'inat18': (128, 15, 256),
    'cifar100-lt': (128, 5, 4),
}


@pytest.mark.parametrize('name', LIFT_PLUS)
def test_lift_plus_has_the_settings_of_its_authors(name):
    cfg = load_leaf('lift_plus_vit-b16', name)
    batch, epochs, width = LIFT_PLUS[name]
    assert cfg.train_dataloader.batch_size == batch
    assert cfg.train_cfg.max_epochs == epochs
    assert cfg.param_scheduler[0].T_max == epochs
    assert cfg.model.backbone.dim == width
    assert width == 2 ** int(np.log2(cfg.num_classes / 24))
    assert cfg.model.head.scale == 25
    assert (cfg.optim_wrapper.optimizer.lr, cfg.data_preprocessor.mean[0]) == (
        0.02,
        pytest.approx(0.48145466 * 255, abs=1e-3),
    )
    _, crop, _ = cfg.train_dataloader.dataset.pipeline  # no flip
    assert (crop.type, crop.schedule) == ('ltvl_mm.MinimalistCrop', 'convex')
    _, resize, center, _ = cfg.test_dataloader.dataset.pipeline
    assert (resize.scale, center.crop_size) == (256, 224)
    assert cfg.tta_pipeline[1].scale == 248
    for step in (crop, resize, cfg.tta_pipeline[1]):
        assert step.interpolation == 'bicubic'


@pytest.mark.parametrize('name', LIFT_PLUS)
def test_lt_soups_has_the_settings_of_its_authors(name):
    cfg = load_leaf('lt_soups-stage1_vit-b16', name)
    assert cfg.train_dataloader.batch_size == 128
    assert cfg.train_dataloader.dataset.type == 'ltvl_mm.ImbalanceSubset'
    assert cfg.train_dataloader.sampler.min_epoch_size == 10 * 128
    assert cfg.train_cfg.max_epochs == 10
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.lr, optimizer.weight_decay) == (3e-5, 1e-2)
    assert cfg.param_scheduler[1].eta_min_ratio == 0.1
    (ema,) = [h for h in cfg.custom_hooks if h.type == 'EMAHook']
    assert ema.momentum == 0.01
    refit = load_leaf('lt_soups_vit-b16', name)
    assert refit.train_dataloader.dataset.imbalance is None
    assert refit.model.begun == {'head': 'head'}
    assert refit.custom_hooks == cfg.custom_hooks


@pytest.mark.parametrize('name', INAT)
def test_inat_students_from_scratch_have_its_own_statistics(name):
    cfg = load(name)
    percents = [round(value / 2.55, 1) for value in cfg.data_preprocessor.mean]
    assert percents == [46.6, 47.1, 38.0]
    dataset = cfg.train_dataloader.dataset
    pipeline = dataset.get('dataset', dataset).pipeline
    if 'paco' not in name:  # those have views
        assert 'RandomFlip' in list_types(pipeline)
        assert 'ColorJitter' not in list_types(pipeline)


@pytest.mark.parametrize('name', ['paco', 'gpaco'])
def test_on_places_only_the_last_of_the_convolutions_train(name):
    cfg = load_leaf(f'{name}_r152', 'places-lt')
    cfg.model.backbone.pop('init_cfg')
    cfg.model.backbone.depth = 50  # its blocks have the same names
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg.model)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    rates = {
        id(weight): group['lr']
        for group in wrapper.optimizer.param_groups
        for weight in group['params']
    }
    for place, module in model.named_modules():
        is_still = isinstance(module, nn.Conv2d) and (
            not place.startswith('backbone.layer4.2.')
        )
        for weight in module.parameters(recurse=False):
            if weight.requires_grad:
                assert rates[id(weight)] == (0 if is_still else 0.08), place


# Settings of the authors' configs: images a step, rate, weight decay, epochs,
# experts, and the factor on the loss.
OFFICIAL = {
    ('ride-official_r50', 'imagenet-lt'): (256, 0.1, 2e-4, 100, 3, 1),
    ('ride6-official_rx50', 'imagenet-lt'): (256, 0.1, 2e-4, 100, 6, 1),
    ('ride4-from6-official_rx50', 'imagenet-lt'): (256, 0.1, 2e-4, 100, 4, 4),
    ('ride2-official_r50', 'inat18'): (512, 0.2, 2e-4, 100, 2, 1),
    ('ride6-official_r50', 'inat18'): (512, 0.2, 2e-4, 100, 6, 1),
    ('ride4-from6-official_r50', 'inat18'): (512, 0.2, 2e-4, 100, 4, 4),
    ('tade-official_rx50', 'imagenet-lt'): (64, 0.025, 5e-4, 180, 3, 1),
    ('tade-official_r50', 'inat18'): (512, 0.2, 2e-4, 100, 3, 1),
    ('tade-official_r152', 'places-lt'): (128, 0.01, 4e-4, 30, 3, 1),
}


@pytest.mark.parametrize(('name', 'dataset'), OFFICIAL)
def test_official_presets_have_the_settings_of_the_authors(name, dataset):
    cfg = load_leaf(name, dataset)
    batch, rate, decay, epochs, experts, factor = OFFICIAL[name, dataset]
    assert cfg.auto_scale_lr.base_batch_size == batch
    assert cfg.train_dataloader.batch_size * 8 == batch
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.lr, optimizer.weight_decay) == (rate, decay)
    assert optimizer.nesterov
    assert cfg.train_cfg.max_epochs == epochs
    assert cfg.model.backbone.num_experts == experts
    assert cfg.model.head.num_experts == experts
    assert cfg.model.head.loss.get('loss_weight', 1) == factor
    assert cfg.model.get('distillation_weight', 1) == factor
    drw = [h for h in cfg.custom_hooks if h.type == 'SwitchRecipeHook']
    if name.startswith('ride'):
        (switch,) = drw[0].schedule
        assert switch.action_epoch == 81
        assert switch.loss.get('loss_weight', 1) == factor
    else:
        assert not drw


def test_the_warm_up_of_ride_has_the_rates_of_its_code():
    cfg = load_leaf('ride-official_r50')
    weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    warm_up, steps = cfg.param_scheduler
    schedulers = [
        LinearLR(optimizer, start_factor=warm_up.start_factor, end=5),
        MultiStepLR(optimizer, milestones=steps.milestones, gamma=0.1),
    ]
    rates = []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    # (1 + epoch) / 5, then 1, 0.1 from epoch 60 and 0.01 from epoch 80.
    assert rates[:6] == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1, 0.1])
    assert rates[59:61] == pytest.approx([0.1, 0.01])
    assert rates[79:81] == pytest.approx([0.01, 0.001])


def test_second_stages_have_the_epochs_of_their_authors():
    for name, dataset in (
        ('lws_r152', 'places-lt'),
        ('lws_r50', 'inat18'),
        ('lws_rx50', 'imagenet-lt'),
    ):
        assert load_leaf(name, dataset).train_cfg.max_epochs == 5
    cfg = load_leaf('balanced_softmax-decoupled_r152', 'places-lt')
    assert cfg.model.type == 'ltvl_mm.DecoupledClassifier'
    assert cfg.model.head.loss.type == 'ltvl_mm.LogitAdjustedLoss'
    assert cfg.train_dataloader.sampler.type == 'ltvl_mm.FixedEpochSampler'
    assert cfg.train_cfg.max_epochs == 10
    assert cfg.optim_wrapper.optimizer.lr == 0.02
    assert cfg.auto_scale_lr.base_batch_size == 256


def test_settings_at_test_time_are_those_of_the_authors():
    assert load_leaf('lift_vit-l14').tta_pipeline[1].scale == 245
    assert load_leaf('lift_vit-b16').tta_pipeline[1].scale == 248
    cfg = load_leaf('tade-official_rx50')
    assert dict(cfg.aggregation) == {'rate': 0.025, 'weight_decay': 5e-4}
    cfg = load_leaf('tade-official_r152', 'places-lt')
    assert dict(cfg.aggregation) == {'rate': 0.01, 'weight_decay': 4e-4}
    cfg = load_leaf('tade-official_r50', 'inat18')
    assert dict(cfg.aggregation) == {
        'rate': 0.2,
        'weight_decay': 2e-4,
        'entropy_weight': 0.01,
    }
    for name, dataset, gamma in (
        ('reslt_rx50', 'imagenet-lt', 0.7),
        ('reslt_rx101', 'imagenet-lt', 0.7),
        ('reslt_r50', 'inat18', 0.0),
    ):
        head = load_leaf(name, dataset).model.head
        assert head.get('gamma', 0.7) == gamma
