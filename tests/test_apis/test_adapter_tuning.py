"""BALLAD's adapters are tuned as tools/train.py trains them."""

import copy

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpretrain.registry import MODELS
from small_inputs import NAMES, ROOT

from ltvl_mm.apis.adapter_training import build_loader, train_adapter
from ltvl_mm.apis.adapter_tuning import PRESETS, AdapterPreset, tune_adapter
from ltvl_mm.models.necks.balanced_linear_adapter import BalancedLinearAdapter
from ltvl_mm.registry import DATASETS
from ltvl_mm.structures.feature_cache import (
    begin_cache,
    describe_source,
    write_view,
)
from ltvl_mm.utils.rng import make_generator

SAMPLER = dict(type='DefaultSampler', shuffle=True)
BALANCED = dict(type='ltvl_mm.ClassBalancedSampler', samples_per_class=4)
OFFICIAL = Config.fromfile(ROOT / 'configs/_base_/models/ballad_official_b.py')


@pytest.fixture
def cfg(target, tmp_path):
    """Phase B on two views of six images, in batches of five."""
    (tmp_path / 'phase_a.pth').write_bytes(b'weights')
    source = dict(
        backbone=dict(arch='x', pretrained=str(tmp_path / 'phase_a.pth')),
        data_preprocessor=dict(mean=[0.0]),
        dataset=target,
    )
    images = DATASETS.build(target)
    root = tmp_path / 'cache'
    begin_cache(root, describe_source(*source.values(), images), seed=0)
    rng = make_generator(0)
    for view in range(2):
        write_view(root, view, rng.standard_normal((6, 128)))
    cached = dict(type='ltvl_mm.CachedFeatures', root=str(root), **source)
    toy = dict(arch='ltvl-toy')
    cfg = copy.deepcopy(OFFICIAL)
    cfg.merge_from_dict(
        dict(
            default_scope='mmpretrain',
            model=dict(
                backbone=dict(
                    _delete_=True, type='ltvl_mm.IdentityBackbone', dim=128
                ),
                neck=toy,
                head=dict(
                    pretrained='ltvl-toy', class_names=list(NAMES), **toy
                ),
            ),
            data_preprocessor=dict(num_classes=3),
            train_dataloader=dict(
                batch_size=5,
                num_workers=0,
                sampler=SAMPLER,
                collate_fn=dict(type='ltvl_mm.pack_labels'),
                dataset=cached,
            ),
            val_dataloader=dict(dataset=cached),
            train_cfg=dict(max_epochs=2),
            randomness=dict(seed=3),
        )
    )
    init_default_scope('mmpretrain')
    return cfg


def tune(cfg, options, **how):
    """Return the adapter that is tuned with options."""
    own = copy.deepcopy(cfg)
    own.merge_from_dict(options)
    head = MODELS.build(own.model.head)
    return train_adapter(own, build_loader(own), head, **how).neck


def train(cfg, options, folder):
    """Return the adapter of a Runner with options."""
    own = copy.deepcopy(cfg)
    own.merge_from_dict(options)
    own.work_dir = str(folder)
    own.log_level = 'ERROR'
    for name in ('val_dataloader', 'val_cfg', 'val_evaluator'):
        own.pop(name, None)
    runner = Runner.from_cfg(own)
    runner.train()
    return runner.model.neck, runner.iter


@pytest.mark.parametrize(
    'changes',
    [
        {},
        {'train_dataloader.sampler': BALANCED, 'randomness.seed': 0},
        {'train_dataloader.sampler': dict(epoch_size=32, **BALANCED)},
        {'optim_wrapper.accumulative_counts': 2},
        {'auto_scale_lr.enable': True, 'auto_scale_lr.base_batch_size': 64},
        {'train_dataloader.drop_last': True},
        {'param_scheduler.0.convert_to_iter_based': True},
        {'model.neck.bias': True, 'model.neck.activation': 'relu'},
    ],
)
def test_an_adapter_is_tuned_as_a_runner_trains_it(cfg, changes, tmp_path):
    cfg.merge_from_dict(changes)
    options = PRESETS['small_tail_decay'].make_options(cfg)
    expected, steps = train(cfg, options, tmp_path / 'run')
    found = tune(cfg, options)
    assert steps == 2 * len(build_loader(cfg))
    for name, weight in expected.state_dict().items():
        assert torch.equal(found.state_dict()[name], weight), name


def test_all_views_are_trained_on(cfg):
    loader = build_loader(cfg)
    loader.sampler.set_epoch(1)
    batches = [batch['inputs'] for batch in loader]
    # 2 views of 6 images in batches of 5.
    assert [len(batch) for batch in batches] == [5, 5, 2]
    assert len(torch.unique(torch.cat(batches), dim=0)) == 12


@pytest.mark.parametrize(
    ('changes', 'rates'),
    [
        ({'train_dataloader.batch_size': 512}, (0.2, 0.01)),
        # An eighth of the images: as configs/toy/ballad/ballad_b.py has it.
        ({'train_dataloader.batch_size': 64}, (0.025, 0.00125)),
        (
            {
                'train_dataloader.batch_size': 64,
                'optim_wrapper.accumulative_counts': 4,
            },
            (0.1, 0.005),
        ),
        # mmengine multiplies by 64 / 256.
        (
            {
                'train_dataloader.batch_size': 64,
                'auto_scale_lr.enable': True,
                'auto_scale_lr.base_batch_size': 256,
            },
            (0.1, 0.005),
        ),
    ],
)
def test_rates_follow_the_images_of_a_step(cfg, changes, rates):
    cfg.merge_from_dict(changes)
    found = [
        PRESETS[name].make_options(cfg)['optim_wrapper.optimizer.lr']
        for name in ('official', 'small_tail_rate')
    ]
    assert found == pytest.approx(rates)


def test_the_rate_of_the_toy_config_is_that_of_the_official_preset():
    cfg = Config.fromfile(ROOT / 'configs/toy/ballad/ballad_b_cached.py')
    for key, value in PRESETS['official'].make_options(cfg).items():
        node = cfg
        for name in key.split('.'):
            node = node[name]
        assert node == pytest.approx(value), key


def test_each_preset_has_its_options_and_accuracies(cfg):
    rows = tune_adapter(cfg)
    assert [row['preset'] for row in rows] == list(PRESETS)
    assert rows[1]['options'] == (
        'model.neck.ratio=0.2 optim_wrapper.optimizer.lr=0.00195312 '
        'optim_wrapper.optimizer.weight_decay=0.1'
    )
    for row in rows:
        assert row['class_mean'] == pytest.approx(row['few'])
        assert 0 <= row['all'] <= 100


def test_presets_are_compared_by_the_accuracy_of_their_adapter(cfg):
    # Untrained maps of ratio 0 leave the features as they are.
    still = AdapterPreset(ratio=0, rate=1e-9)
    found = tune_adapter(cfg, presets={'still': still})[0]
    data = DATASETS.build(cfg.val_dataloader.dataset)
    head = MODELS.build(cfg.model.head)
    features = torch.from_numpy(np.array(data.cache.views[0]))
    pred = (features @ head.prototypes().T).argmax(1).numpy()
    right = pred == data.get_gt_labels()[:6]
    assert found['all'] == pytest.approx(100 * right.mean())


def test_presets_do_not_share_what_a_head_learns(cfg):
    cfg.model.head.logit_scale = 'learned'
    alone = tune_adapter(cfg, presets={'official': PRESETS['official']})
    assert tune_adapter(cfg)[0] == alone[0]


def test_seeds_of_a_config_repeat(cfg):
    weights = [
        tune(cfg, {'randomness.seed': seed}).linear.weight
        for seed in (3, 3, 4)
    ]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    cfg.randomness = None
    assert len(tune_adapter(cfg)) == len(PRESETS)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'train_cfg.max_epochs': 0}, r'max_epochs >= 1 .*\'max_epochs\': 0'),
        ({'train_cfg.max_epochs': None}, 'max_epochs >= 1'),
        ({'train_cfg.max_iters': 5}, 'no max_iters'),
        ({'model.neck': None}, 'model.neck must be .* got None'),
        ({'model.neck.type': 'GlobalAveragePooling'}, 'model.neck must be'),
    ],
)
def test_a_training_without_epochs_or_adapter_is_refused(
    cfg, changes, message
):
    cfg.merge_from_dict(changes)
    with pytest.raises(ValueError, match=message):
        tune_adapter(cfg)


def test_preset_config_differs_in_its_weight_decay():
    preset = Config.fromfile(
        ROOT / 'configs/_base_/models/ballad_small_tail.py'
    )
    official = copy.deepcopy(OFFICIAL)
    optimizer = preset.optim_wrapper.optimizer
    assert optimizer.pop('weight_decay') == 0.1
    assert official.optim_wrapper.optimizer.pop('weight_decay') == 5e-4
    assert preset._cfg_dict == official._cfg_dict


def test_what_holds_no_cached_features_is_refused():
    images = dict(type='CustomDataset', data_root='none', lazy_init=True)
    for loader, message in [
        (None, 'no train_dataloader, got None'),
        (dict(dataset=images), 'CachedFeatures, got CustomDataset'),
    ]:
        with pytest.raises(ValueError, match=message):
            tune_adapter(Config(dict(train_dataloader=loader)))


@pytest.mark.parametrize(
    ('how', 'warnings'),
    [
        (dict(ratio=0.5), 1),
        (dict(ratio=0.9), 1),
        (dict(ratio=0.2), 0),
        (dict(ratio=0.5, init='identity'), 0),
    ],
)
def test_large_ratios_of_random_weights_are_warned_of(
    how, warnings, monkeypatch
):
    logged = []
    monkeypatch.setattr(
        'ltvl_mm.models.necks.balanced_linear_adapter.print_log',
        lambda text, *_, **__: logged.append(text),
    )
    BalancedLinearAdapter(4, **how)
    assert len(logged) == warnings
