"""Every leaf config loads, holds known keys only, and builds."""

import ast
import copy
import functools
import inspect
import re
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmengine.visualization import Visualizer
from PIL import Image
from small_inputs import write_manifest

import ltvl_mm  # noqa: F401, a broken install says so here
from ltvl_mm.apis.captions import index_captions
from ltvl_mm.clip.towers import build_clip
from ltvl_mm.models.backbones import clip_backbone
from ltvl_mm.models.heads import clip_contrastive_head
from ltvl_mm.registry import DATA_SAMPLERS, DATASETS, HOOKS, MODELS
from ltvl_mm.utils.launch import set_dataloader_defaults

ROOT = Path(__file__).parents[1] / 'configs'
LEAVES = sorted(
    (path for path in ROOT.rglob('*.py') if '_base_' not in path.parts),
    # Those of one architecture in a row.
    key=lambda path: (re.findall('rn50x16|rn101|vit-b16', path.stem), path),
)
# mmengine accepts any key and ignores one that it does not know, such as
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
    'aggregation',
    'aggregation_views',
    'arch',
    'balanced_sampler',
    'bilinear_test',
    'both_pipeline',
    'cache',
    'cifar_norm',
    'cifar_test',
    'class_aware',
    'class_balanced',
    'class_names',
    'clip_member',
    'clip_norm',
    'clip_test',
    'clip_test_384',
    'cnn_test',
    'constant_epochs',
    'contrast_pipelines',
    'contrast_policies',
    'cosine',
    'data_root',
    'deit_test',
    'distillation',
    'ensemble',
    'epoch_size',
    'expert_backbone',
    'expert_head',
    'expert_views',
    'expert_views_inat18',
    'gpaco_loss',
    'imagenet_mean',
    'imagenet_norm',
    'imagenet_std',
    'inat18_norm',
    'last_block',
    'lift_plus_hooks',
    'lift_plus_test',
    'lift_plus_train',
    'lora',
    'loss',
    'lt_soups_hooks',
    'lt_soups_refit',
    'lt_soups_sampler',
    'lt_soups_subset',
    'lws',
    'made_by',
    'max_epochs',
    'mixing',
    'narrow_neck',
    'num_classes',
    'num_experts',
    'oltr',
    'oltr_neck',
    'oltr_rates',
    'paco_loss',
    'phase_a',
    'places_scheduler',
    'pretrained',
    'prompts',
    'read_once',
    'reslt_loss',
    'reslt_neck',
    'retrieved',
    'second_stage_cfg',
    'second_stage_epochs',
    'second_stage_scheduler',
    'sim_twice',
    'smooth_loss',
    'stage_1',
    'student',
    'tade_hooks',
    'tade_loss',
    'teacher_checkpoint',
    'test_pipeline',
    'test_pipeline_32',
    'test_pipeline_384',
    'test_pipeline_bilinear',
    'test_pipeline_cnn',
    'test_pipeline_deit',
    'train_pipeline',
    'train_pipeline_32',
    'train_pipeline_384',
    'train_pipeline_bilinear',
    'train_pipeline_clip',
    'train_pipeline_cnn',
    'train_pipeline_deit',
    'train_pipeline_inat18',
    'two_views',
    'views',
    'vis_backends',
    'width',
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
    inner = model.backbone.get('backbone', {})
    for part in (model.backbone, inner, model.head):
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


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


@pytest.mark.smoke
@pytest.mark.parametrize('path', LEAVES, ids=name_leaf)
def test_a_leaf_has_known_keys_only_and_its_model_builds(path, monkeypatch):
    cfg = Config.fromfile(path)
    assert not find_unknown_keys(cfg)
    assert cfg.default_scope == 'mmpretrain'
    if 'backbone' not in cfg.model.get('backbone', {}):  # changed if so
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


@pytest.mark.parametrize('path', LEAVES, ids=name_leaf)
def test_a_resumed_epoch_of_a_leaf_looks_like_an_undisturbed_one(path):
    cfg = Config.fromfile(path)
    if cfg.get('train_dataloader') is None:
        pytest.skip('nothing is trained')
    set_dataloader_defaults(cfg, 'train_dataloader', pin_memory=True)
    loader = cfg.train_dataloader
    assert loader.persistent_workers is False
    assert loader.worker_init_fn.type == 'ltvl_mm.seed_worker'
    assert 'ltvl_mm.EpochSeedHook' in [hook.type for hook in cfg.custom_hooks]


# Name of a data set -> folder, start of its lists, classes.
ROOTS = {
    'imagenet_lt': ('imagenet', 'ImageNet_LT', 1000),
    'places_lt': ('places', 'Places_LT', 365),
    'inat18': ('inat18', 'iNaturalist18', 8142),
    'cifar100_lt': ('cifar100_lt', 'CIFAR100_LT', 100),
}


@pytest.fixture(scope='session')
def dummy_roots(toy_root, tmp_path_factory):
    """A folder with lists and manifests where the leaves expect theirs."""
    folder = tmp_path_factory.mktemp('roots')
    (folder / 'data').mkdir()
    (folder / 'data/emoji').symlink_to(toy_root)
    for name, (place, prefix, classes) in ROOTS.items():
        root = folder / 'data' / place
        root.mkdir(parents=True)
        names = [f'class {number}' for number in range(classes)]
        (root / 'class_names.txt').write_text('\n'.join(names))
        lines = []
        for number in range(classes):
            (root / f'{number}.jpg').touch()
            lines.append(f'{number}.jpg {number}')
        for split in ('train', 'val', 'test'):
            (root / f'{prefix}_{split}.txt').write_text('\n'.join(lines))
        web = folder / 'data/retrieved' / name
        write_manifest(web, names, list(range(0, classes, 100)))
    captioned = folder / 'captioned'
    captioned.mkdir()
    Image.new('RGB', (8, 8)).save(captioned / 'a.png')
    (captioned / 'a.txt').write_text('a picture')
    index_captions(captioned, folder / 'data/captions', workers=0)
    return folder


# From a cache, which the toy leaf has, too.
CACHED = (
    'ballad/ballad-b-cached_rn50_1xb512-10e_imagenet-lt.py',
    'toy/ballad/ballad_b_cached.py',
)
LEAVES_WITH_DATA = [path for path in LEAVES if name_leaf(path) not in CACHED]


@pytest.mark.parametrize('path', LEAVES_WITH_DATA, ids=name_leaf)
def test_data_samplers_metrics_and_hooks_of_a_leaf_build(
    path, dummy_roots, monkeypatch
):
    monkeypatch.chdir(dummy_roots)
    Visualizer.get_instance('leaf')  # mmengine's hook asks for one
    cfg = Config.fromfile(path)
    for stage in ('train', 'val', 'test'):
        loader = cfg.get(f'{stage}_dataloader')
        if loader is not None:
            dataset = DATASETS.build(loader.dataset)
            assert len(dataset) > 0
            DATA_SAMPLERS.build(
                loader.sampler, default_args=dict(dataset=dataset, seed=0)
            )
        evaluator = cfg.get(f'{stage}_evaluator')
        if evaluator is not None:
            Evaluator(evaluator)
    hooks = [*cfg.default_hooks.values(), *cfg.get('custom_hooks', [])]
    for hook in hooks:
        HOOKS.build(hook)
