"""BALLAD's leaves hold what their sources say."""

import ast
import re

import pytest
from leaves import CONFIGS as ROOT
from leaves import load_leaf
from mmengine.config import Config

from ltvl_mm.clip.towers import find_width

# Of clip/model.py of OpenAI: width of the joint space, and pixels.
TOWERS = {
    'RN50-quickgelu': (1024, 224),
    'RN101-quickgelu': (512, 224),
    'ViT-B-16-quickgelu': (512, 224),
    'RN50x16-quickgelu': (768, 384),
}
# Tables 1 to 3 of the paper: overall accuracy after phase B.
AFTER_PHASE_B = {
    ('rn50', 'imagenet-lt'): 67.2,
    ('rn101', 'imagenet-lt'): 70.5,
    ('vit-b16', 'imagenet-lt'): 75.7,
    ('rn50x16', 'imagenet-lt'): 76.5,
    ('rn50', 'places-lt'): 46.5,
    ('rn101', 'places-lt'): 47.9,
    ('vit-b16', 'places-lt'): 49.5,
    ('rn50x16', 'places-lt'): 49.3,
    ('rn50', 'inat18'): 74.2,
}
# Tables 4 and 5, RN50 on ImageNet-LT:
# overall, many, medium, few, as far as there.
ABLATIONS = {
    'clip_zero_shot': (58.2, 59.4, 57.5, 57.6),
    'ballad-a-vision': (66.3, 70.4, 65.4, 58.0),
    'ballad-a-language': (66.1, 70.6, 65.4, 55.9),
    'ballad-a': (66.1, 71.3, 65.4, 54.1),
    'ballad-joint': (66.0,),
}
LEAVES = sorted(ROOT.glob('ballad/*.py')) + sorted(
    ROOT.glob('clip_zero_shot/*.py')
)


def load(method):
    return load_leaf(f'{method}_rn50')


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)
def test_width_size_and_weights_fit_the_tower(path):
    cfg = Config.fromfile(path)
    if 'arch' not in cfg.model.backbone:
        return
    dim, pixels = TOWERS[cfg.model.backbone.arch]
    assert cfg.model.head.arch == cfg.model.backbone.arch
    assert cfg.model.head.pretrained == cfg.model.backbone.pretrained
    if 'neck' in cfg.model:
        assert cfg.model.neck.arch == cfg.model.backbone.arch
        assert find_width(cfg.model.neck.arch) == dim
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader is not None:
            assert loader.dataset.pipeline[1].scale == pixels


@pytest.mark.parametrize(
    'path',
    [path for path in LEAVES if path.stem.split('_')[0].endswith('-b')],
    ids=lambda path: path.stem,
)
def test_phase_b_starts_from_the_best_checkpoint_of_phase_a(path):
    cfg = Config.fromfile(path)
    name = path.stem.replace('-b_', '-a_').replace('-10e_', '-50e_')
    phase_a = Config.fromfile(path.with_stem(name))
    # A folder selects its best checkpoint, or the last without save_best.
    assert cfg.model.backbone.pretrained == f'work_dirs/{name}'
    best = phase_a.default_hooks.checkpoint.get('save_best')
    assert best == (None if 'inat' in name else 'shot/all')
    assert cfg.model.backbone.arch == phase_a.model.backbone.arch
    assert cfg.model.backbone.frozen
    assert cfg.model.head.frozen
    images = cfg.train_dataloader.sampler.epoch_size
    assert images % cfg.auto_scale_lr.base_batch_size == 0


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)
def test_the_header_has_the_numbers_of_the_paper(path):
    text = ast.get_docstring(ast.parse(path.read_text(encoding='utf-8')))
    said = text[text.index('Expect:') :]
    found = re.match(r'(clip_zero_shot|[^_]+)_([^_]+)_(.+_)?(.+)', path.stem)
    method, model, _, dataset = found.groups()
    numbers = (AFTER_PHASE_B[model, dataset],)
    if (model, dataset) == ('rn50', 'imagenet-lt'):
        numbers = ABLATIONS.get(method, numbers)
    elif method == 'clip_zero_shot':
        numbers = ()
    if not numbers:
        assert 'the paper gives no number' in said
    else:
        assert all(str(number) in said for number in numbers)


def test_the_official_preset_is_the_code():
    a, b = load('ballad-a'), load('ballad-b')
    for cfg in (a, b):
        assert cfg.model.head.loss == 'class_ce'
        assert cfg.model.head.logit_scale == 100
        assert cfg.model.head.templates == 'single'
    sgd = dict(type='SGD', momentum=0.9, weight_decay=5e-4)
    assert a.optim_wrapper.optimizer == dict(lr=1e-5, **sgd)
    assert b.optim_wrapper.optimizer == dict(lr=0.2, **sgd)
    assert (a.train_cfg.max_epochs, b.train_cfg.max_epochs) == (50, 10)
    assert b.model.neck == dict(
        type='ltvl_mm.BalancedLinearAdapter',
        arch='RN50-quickgelu',
        ratio=0.2,
        activation=None,
        bias=False,
        normalize=None,
        init='default',
    )
    assert b.train_dataloader.sampler == dict(
        type='ltvl_mm.ClassBalancedSampler',
        samples_per_class=4,
        epoch_size=226 * 512,
    )


def test_the_paper_preset_is_the_paper():
    a, b = load('ballad-paper-a'), load('ballad-paper-b')
    assert a.model.head.loss == 'symmetric'
    assert a.model.head.logit_scale == 'learned'
    assert b.model.head.loss == 'image_to_text'
    assert b.model.head.logit_scale == 'frozen'
    assert b.model.neck == dict(
        type='ltvl_mm.BalancedLinearAdapter',
        arch='RN50-quickgelu',
        ratio=0.2,
        activation='relu',
        bias=True,
        normalize=None,
        init='default',
    )
    assert b.train_dataloader.sampler.samples_per_class == 1
    # It names no optimizer: the code's.
    for ours, code in ((a, 'ballad-a'), (b, 'ballad-b')):
        assert ours.optim_wrapper == load(code).optim_wrapper


def test_the_freeze_grid_and_the_joint_run_change_one_thing_each():
    a = load('ballad-a')
    v_only, l_only = load('ballad-a-vision'), load('ballad-a-language')
    assert v_only.model.head == dict(frozen=True, **a.model.head)
    assert v_only.model.backbone == a.model.backbone
    assert l_only.model.backbone == dict(frozen=True, **a.model.backbone)
    assert l_only.model.head == a.model.head
    joint, b = load('ballad-joint'), load('ballad-b')
    for name in ('ratio', 'activation', 'bias', 'arch'):
        assert joint.model.neck[name] == b.model.neck[name]
    rate = joint.optim_wrapper.optimizer.lr
    scale = joint.optim_wrapper.paramwise_cfg.custom_keys.neck.lr_mult
    assert rate * scale == pytest.approx(b.optim_wrapper.optimizer.lr)
    assert joint.train_dataloader.sampler == a.train_dataloader.sampler
