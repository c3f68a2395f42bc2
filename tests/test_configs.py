"""Every leaf config loads, holds known keys only, and builds."""

import ast
import inspect
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

import ltvl_mm  # noqa: F401, a broken install says so here
from ltvl_mm.registry import DATASETS, MODELS

ROOT = Path(__file__).parents[1] / 'configs'
LEAVES = sorted(
    path for path in ROOT.rglob('*.py') if '_base_' not in path.parts
)
TOY_LEAVES = [path for path in LEAVES if path.parent.name == 'toy']
# The host accepts any key and ignores one that it does not know, such as
# optim_wraper: so all are listed, its own and the variables of our leaves.
HOST_KEYS = {
    *inspect.signature(Runner.__init__).parameters,
    'auto_scale_lr',
    'custom_imports',
    'find_unused_parameters',
    'tta_model',
    'tta_pipeline',
} - {'self', 'cfg'}
VARIABLES = {
    'arch',
    'batch_size',
    'data_root',
    'epoch_size',
    'manifest',
    'max_epochs',
    'num_classes',
    'test_pipeline',
    'train_pipeline',
    'vis_backends',
}


def name_leaf(path):
    return path.relative_to(ROOT).as_posix()


def find_unknown_keys(cfg):
    return set(cfg) - HOST_KEYS - VARIABLES


@pytest.fixture(autouse=True)
def scope_and_toy_world(monkeypatch, toy_root, toy_manifest):
    monkeypatch.setenv('LTVL_TOY_ROOT', str(toy_root))
    monkeypatch.setenv('LTVL_TOY_MANIFEST', str(toy_manifest))
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


@pytest.mark.smoke
@pytest.mark.parametrize('path', LEAVES, ids=name_leaf)
def test_a_leaf_has_known_keys_only_and_its_model_builds(path):
    cfg = Config.fromfile(path)
    assert not find_unknown_keys(cfg)
    assert cfg.default_scope == 'mmpretrain'
    model = MODELS.build(cfg.model)
    if cfg.get('optim_wrapper') is not None:
        assert any(weight.requires_grad for weight in model.parameters())


def test_a_misspelt_key_is_found(tmp_path):
    (tmp_path / 'leaf.py').write_text('optim_wraper = dict()\nresume = True')
    cfg = Config.fromfile(tmp_path / 'leaf.py')
    assert find_unknown_keys(cfg) == {'optim_wraper'}


@pytest.mark.parametrize('path', LEAVES, ids=name_leaf)
def test_a_leaf_opens_with_its_command_and_hardware(path):
    text = ast.get_docstring(ast.parse(path.read_text(encoding='utf-8')))
    assert text is not None
    assert 'Command:' in text
    assert 'Hardware:' in text
    # The command is of this very leaf.
    assert f'configs/{name_leaf(path)}' in text


@pytest.mark.parametrize('path', TOY_LEAVES, ids=name_leaf)
def test_data_sets_and_metrics_of_a_toy_leaf_build(path):
    cfg = Config.fromfile(path)
    for stage in ('train', 'val', 'test'):
        loader = cfg.get(f'{stage}_dataloader')
        if loader is not None:
            assert len(DATASETS.build(loader.dataset)) > 0
        evaluator = cfg.get(f'{stage}_evaluator')
        if evaluator is not None:
            Evaluator(evaluator)
