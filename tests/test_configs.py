"""Every leaf config loads, holds known keys only, and builds."""

import ast
import copy
import functools
import inspect
import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from toy_clip import write_toy_classifier

import ltvl_mm  # noqa: F401, a broken install says so here
from ltvl_mm.engine.feature_caching import cache_features
from ltvl_mm.models import clip_backbone, clip_contrastive_head
from ltvl_mm.models.clip import build_clip
from ltvl_mm.registry import DATASETS, MODELS

ROOT = Path(__file__).parents[1] / 'configs'
LEAVES = sorted(
    (path for path in ROOT.rglob('*.py') if '_base_' not in path.parts),
    # Those of one architecture in a row.
    key=lambda path: (re.findall('rn50x16|rn101|vit_b16', path.stem), path),
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
    'balanced_sampler',
    'batch_size',
    'cache',
    'class_names',
    'data_root',
    'epoch_size',
    'made_by',
    'manifest',
    'max_epochs',
    'num_classes',
    'phase_a',
    'pretrained',
    'read_once',
    'student',
    'test_pipeline',
    'test_pipeline_384',
    'train_pipeline',
    'train_pipeline_384',
    'vis_backends',
}


def name_leaf(path):
    return path.relative_to(ROOT).as_posix()


def find_unknown_keys(cfg):
    return set(cfg) - HOST_KEYS - VARIABLES


def forget_files(model):
    """Return a model config that needs no weights and no list of classes."""
    model = copy.deepcopy(model)
    if 'members' in model:
        model.pop('checkpoints')
        for name, member in model.members.items():
            model.members[name] = forget_files(member)
        return model
    for part in (model.backbone, model.head):
        if 'pretrained' in part:
            part.pretrained = None
    if isinstance(model.head.get('class_names'), str):
        model.head.class_names = ['cat', 'dog', 'owl']
    return model


@functools.lru_cache(maxsize=1)
def build_once(arch):
    return build_clip(arch)


def share_clip(monkeypatch):
    """Build each big CLIP once, for backbone and head of all its leaves."""

    def build(arch, pretrained=None):
        assert pretrained is None
        return build_once(arch).requires_grad_(True)

    for module in (clip_backbone, clip_contrastive_head):
        monkeypatch.setattr(module, 'build_clip', build)


@pytest.fixture(scope='session')
def toy_files(toy_root, toy_manifest, tmp_path_factory):
    """Variables that point toy leaves to files; a cache among them."""
    folder = tmp_path_factory.mktemp('configs')
    weights = str(write_toy_classifier(folder / 'phase_a.pth'))
    files = {
        'LTVL_TOY_ROOT': str(toy_root),
        'LTVL_TOY_MANIFEST': str(toy_manifest),
        'LTVL_TOY_CLIP': weights,
        'LTVL_TOY_PHASE_A': weights,
        'LTVL_TOY_CACHE': str(folder / 'cache'),
        'LTVL_TOY_STUDENT': str(folder / 'student.pth'),
    }
    with (
        pytest.MonkeyPatch.context() as patch,
        DefaultScope.overwrite_default_scope('mmpretrain'),
    ):
        for name, value in files.items():
            patch.setenv(name, value)
        student = MODELS.build(Config.fromfile(ROOT / 'toy/deit.py').model)
        torch.save(student.state_dict(), files['LTVL_TOY_STUDENT'])
        cfg = Config.fromfile(ROOT / 'toy/ballad_b.py')
        for split in ('train', 'val', 'test'):
            cache_features(cfg, split, folder / 'cache' / split, views=1)
    return files


@pytest.fixture(autouse=True)
def scope_and_files(monkeypatch, toy_files):
    for name, value in toy_files.items():
        monkeypatch.setenv(name, value)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


@pytest.mark.smoke
@pytest.mark.parametrize('path', LEAVES, ids=name_leaf)
def test_a_leaf_has_known_keys_only_and_its_model_builds(path, monkeypatch):
    cfg = Config.fromfile(path)
    assert not find_unknown_keys(cfg)
    assert cfg.default_scope == 'mmpretrain'
    if path not in TOY_LEAVES:
        share_clip(monkeypatch)
        cfg.model = forget_files(cfg.model)
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
