import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from small_inputs import ROOT

from ltvl_mm.apis.adapter_tuning import (
    PRESETS,
    AdapterPreset,
    LabeledFeatures,
    train_adapter,
    tune_adapter,
)
from ltvl_mm.models.necks.balanced_linear_adapter import BalancedLinearAdapter


@pytest.fixture
def drawn():
    """Features whose classes are swapped against their texts."""
    texts = F.normalize(torch.eye(3, 8) + 0.1, dim=1)
    labels = np.repeat([0, 1, 2], [60, 20, 2])
    rng = torch.Generator().manual_seed(0)
    shown = torch.tensor([1, 2, 0])[labels]
    noise = 0.05 * torch.randn(len(labels), 8, generator=rng)
    return LabeledFeatures([texts[shown] + noise], labels), texts


def train(drawn, preset, **how):
    features, texts = drawn
    how = dict(scale=20, batch_size=32, iterations=60) | how
    how['neck'] = dict(activation=None, bias=False)
    adapter = train_adapter(features, texts, preset, **how)
    logits = F.normalize(adapter((features.views[0],))[-1], dim=1) @ texts.T
    return adapter, (logits.argmax(1).numpy() == features.labels)


def test_adapter_learns_rare_classes_as_well(drawn):
    preset = AdapterPreset(ratio=0.6, rate=0.5, weight_decay=0)
    _, right = train(drawn, preset)
    assert right.all()


def test_no_rate_moves_nothing_and_seeds_repeat(drawn):
    still = AdapterPreset(rate=1e-12)
    first, _ = train(drawn, still)
    again, _ = train(drawn, still, iterations=1)
    torch.testing.assert_close(first.linear.weight, again.linear.weight)
    other, _ = train(drawn, still, seed=1)
    assert not torch.equal(first.linear.weight, other.linear.weight)


def test_presets_move_less_than_the_official_one(drawn):
    before = train(drawn, AdapterPreset(rate=1e-12))[0].linear.weight

    def moved(preset):
        adapter, _ = train(drawn, preset)
        change = adapter.linear.weight - before
        return preset.ratio * float(change.detach().norm())

    official = moved(PRESETS['official'])
    assert moved(PRESETS['small_tail_rate']) < official
    assert moved(PRESETS['small_tail_ratio']) < official


def test_preset_config_differs_in_its_weight_decay():
    preset, official = (
        Config.fromfile(ROOT / f'configs/_base_/models/ballad_{name}.py')
        for name in ('small_tail', 'official_b')
    )
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


def test_options_train_the_preset():
    assert PRESETS['small_tail_decay'].describe() == (
        'model.neck.ratio=0.2 optim_wrapper.optimizer.lr=0.2 '
        'optim_wrapper.optimizer.weight_decay=0.1'
    )


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
