from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmengine.registry import DefaultScope
from toy_clip import write_toy_classifier

from ltvl_mm.datasets.feature_batch import pack_labels
from ltvl_mm.engine.feature_caching import cache_features
from ltvl_mm.registry import DATASETS, MODELS

CONFIGS = Path(__file__).parents[2] / 'configs/toy/ballad'


PHASE_A = 'work_dirs/ballad_a/epoch_5.pth'
CACHE = 'work_dirs/ballad_b/cache'


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


@pytest.fixture
def load_config(toy_folder):
    """Function: name of a toy config -> config of the tiny world."""
    (toy_folder / 'work_dirs/ballad_a').mkdir(parents=True)
    write_toy_classifier(toy_folder / PHASE_A)

    def load(name):
        cfg = Config.fromfile(CONFIGS / f'{name}.py')
        for split in ('train', 'val', 'test'):
            cfg[f'{split}_dataloader'].num_workers = 0
        return cfg

    return load


def build_model(cfg):
    preprocessor = dict(type='ClsDataPreprocessor', **cfg.data_preprocessor)
    return MODELS.build({**cfg.model, 'data_preprocessor': preprocessor})


def fetch(dataset, rows):
    """Do as torch's loader does."""
    if hasattr(dataset, '__getitems__'):
        return dataset.__getitems__(rows)
    return [dataset[row] for row in rows]


def compute_loss(cfg, split, rows, collate=default_collate):
    """Return the loss of a batch, and the gradient of the adapter."""
    dataset = DATASETS.build(cfg[f'{split}_dataloader'].dataset)
    model = build_model(cfg).train()
    torch.nn.init.eye_(model.neck.linear.weight)
    batch = model.data_preprocessor(
        collate(fetch(dataset, rows)), training=True
    )
    loss = model(**batch, mode='loss')['loss']
    loss.backward()
    return loss.item(), model.neck.linear.weight.grad


def test_cached_and_uncached_give_one_loss(load_config, tmp_path):
    uncached, cached = load_config('ballad_b'), load_config('ballad_b_cached')
    for split in ('train', 'val'):
        cache_features(uncached, split, tmp_path / CACHE / split, views=1)
    rows = [0, 5, 17, 17, 40]  # of val, whose only view is not random
    ours, our_grad = compute_loss(cached, 'val', rows)
    theirs, their_grad = compute_loss(uncached, 'val', rows)
    assert ours == pytest.approx(theirs, rel=1e-5)
    torch.testing.assert_close(our_grad, their_grad, rtol=1e-4, atol=1e-6)
    packed, packed_grad = compute_loss(cached, 'val', rows, pack_labels)
    assert packed == ours
    assert torch.equal(packed_grad, our_grad)


def test_views_differ_and_a_second_run_repeats_them(load_config, tmp_path):
    cfg = load_config('ballad_b')
    first = cache_features(cfg, 'train', tmp_path / 'first', views=2)
    assert not np.allclose(first.views[0], first.views[1])
    lines = (tmp_path / 'data/emoji/train.txt').read_text().splitlines()
    assert len(first.views[0]) == len(lines)
    second = cache_features(cfg, 'train', tmp_path / 'second', views=1)
    np.testing.assert_array_equal(first.views[0], second.views[0])
    # A begun cache resumes at its first missing view.
    view, before = tmp_path / 'second/view_0.npy', first.views[1]
    changed = view.stat().st_mtime_ns
    third = cache_features(cfg, 'train', tmp_path / 'second', views=2)
    np.testing.assert_array_equal(third.views[1], before)
    assert view.stat().st_mtime_ns == changed


def test_a_trained_backbone_is_not_cached(load_config, tmp_path):
    cfg = load_config('ballad_a')
    cfg.model.backbone.pretrained = PHASE_A
    with pytest.raises(ValueError, match='backbone is trained'):
        cache_features(cfg, 'train', tmp_path / 'cache', views=1)


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        ({'views': 0}, 'views must be >= 1'),
        ({'split': 'corpus'}, 'no corpus_dataloader'),
    ],
)
def test_wrong_arguments(load_config, tmp_path, option, message):
    arguments = {'split': 'val', 'views': 1, **option}
    with pytest.raises(ValueError, match=message):
        cache_features(load_config('ballad_b'), out=tmp_path, **arguments)


@pytest.mark.parametrize('name', ['ballad_b', 'ballad_b_cached'])
def test_phase_b_trains_the_adapter_and_nothing_else(load_config, name):
    model = build_model(load_config(name)).train()
    trained = [n for n, p in model.named_parameters() if p.requires_grad]
    assert trained == ['neck.linear.weight']
    assert not model.head.text.training


def test_phase_b_without_phase_a_says_so(load_config, tmp_path, capsys):
    (tmp_path / PHASE_A).unlink()
    cfg = load_config('ballad_b')
    with pytest.raises(ValueError, match=r'does not exist .* train phase A'):
        cache_features(cfg, 'val', tmp_path / 'cache', views=1)
    # Nothing is said of the preprocessing of a file that does not exist.
    assert 'preprocessing' not in capsys.readouterr().out
    with pytest.raises(ValueError, match=r'epoch_5\.pth; .* train that first'):
        build_model(cfg)
