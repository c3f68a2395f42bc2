import subprocess
import sys
from pathlib import Path

import mmpretrain
import pytest
import torch
from leaves import find_leaf
from mmengine.config import Config
from mmpretrain.apis import ModelHub
from toy_clip import write_toy_classifier

import ltvl_mm
from ltvl_mm.apis import model_hub
from ltvl_mm.clip.towers import build_clip
from ltvl_mm.utils.config_walk import walk_config

ROOT = Path(__file__).parents[2]
TOY = ROOT / 'configs/toy'
BASELINES = ('crt', 'ldam_drw', 'lws', 'paco', 'reslt', 'ride')
LEAVES = (
    'cross_entropy/cross_entropy_timm',
    'lift/lift_rn_clip',
    *(f'{name}/{name}_r18' for name in BASELINES),
)
ZERO_SHOT = TOY / 'clip_zero_shot/clip_zero_shot.py'


@pytest.fixture(autouse=True)
def toy(toy_folder):
    """Where the toy configs find their world."""


@pytest.fixture
def clip(tmp_path):
    return write_toy_classifier(tmp_path / 'clip.pth')


@pytest.fixture
def move(tmp_path, monkeypatch):
    """Function that lets the clone hold nothing but the files given."""

    def run(**files):
        for name, text in files.items():
            (tmp_path / name).with_suffix('.yml').write_text(text)
        monkeypatch.setattr(model_hub, '_ROOT', tmp_path)
        uncached = model_hub._register_models.__wrapped__
        monkeypatch.setattr(model_hub, '_register_models', uncached)

    return run


def test_the_models_of_the_index_are_listed_and_the_host_knows_them():
    names = ltvl_mm.list_models()
    assert names == sorted(names)
    assert {'tackle_rx50', find_leaf('ballad-b_rn50').stem} <= set(names)
    assert ltvl_mm.list_models('tackle_rx1') == [
        find_leaf('tackle_rx101').stem
    ]
    assert ltvl_mm.list_models('no such') == []
    assert set(names) <= set(mmpretrain.list_models())
    for name in names:
        assert Path(ModelHub.get(name).config.filename).parent.is_relative_to(
            ROOT / 'configs'
        )


def test_a_name_builds_what_its_config_says(monkeypatch):
    name = find_leaf('cross_entropy_deit-s').stem
    model = ltvl_mm.get_model(name, head=dict(num_classes=7))
    assert model.head.num_classes == 7
    assert not model.training
    assert model._metainfo.name == name


def test_a_close_name_is_offered():
    with pytest.raises(ValueError, match='did you mean tackle_rx50'):
        ltvl_mm.get_model('tackle_rx5')


def test_without_the_clone_it_says_so(move):
    move()
    with pytest.raises(ValueError, match='installed without its clone'):
        ltvl_mm.list_models()
    with pytest.raises(ValueError, match='give the path of a config'):
        ltvl_mm.get_model('rx50')


def test_an_import_that_is_not_there_is_no_silence(move):
    move(**{'model-index': 'Import:\n- configs/gone/metafile.yml\n'})
    with pytest.raises(ValueError, match=r'gone/metafile\.yml'):
        ltvl_mm.list_models()


def test_a_config_that_is_not_there_is_no_silence(move):
    move(**{'model-index': 'Models:\n- Name: a\n  Config: configs/a.py\n'})
    with pytest.raises(
        ValueError, match=r'not there or broken: configs/a\.py'
    ):
        ltvl_mm.list_models()


def test_weights_are_loaded_whole_or_not_at_all(clip, tmp_path):
    model = ltvl_mm.get_model(ZERO_SHOT, clip)
    state = torch.load(clip, weights_only=True)['state_dict']
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, state[name]), name
    del state['head.logit_scale']
    torch.save({'state_dict': state}, tmp_path / 'part.pth')
    with pytest.raises(ValueError, match=r'(?s)part\.pth does not fit.*logit'):
        ltvl_mm.get_model(ZERO_SHOT, tmp_path / 'part.pth')
    with pytest.raises(ValueError, match=r'gone\.pth does not exist'):
        ltvl_mm.get_model(ZERO_SHOT, tmp_path / 'gone.pth')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='holds no checkpoint'):
        ltvl_mm.get_model(ZERO_SHOT, tmp_path / 'empty')


@pytest.mark.parametrize('leaf', LEAVES)
def test_what_a_training_saves_fits(leaf, tmp_path):
    cfg = Config.fromfile(TOY / f'{leaf}.py')
    state = ltvl_mm.get_model(cfg).state_dict()
    torch.save({'state_dict': state}, tmp_path / 'epoch_1.pth')
    for part in walk_config(cfg.model):
        if 'pretrained' in part:
            part['pretrained'] = 'gone.pth'
    model = ltvl_mm.get_model(cfg, tmp_path / 'epoch_1.pth')
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, state[name]), name


def test_a_training_folder_is_as_good_as_a_file(clip, tmp_path):
    clip.rename(tmp_path / 'best_shot_all_epoch_3.pth')
    model = ltvl_mm.get_model(ZERO_SHOT, tmp_path)
    assert model.head.classes.names[0]


def test_true_takes_the_weights_that_are_named_or_none(clip, tmp_path):
    model = ltvl_mm.get_model(ZERO_SHOT, True)
    shipped = build_clip('ltvl-toy', 'ltvl-toy').visual.state_dict()
    for name, weight in model.backbone.visual.state_dict().items():
        assert torch.equal(weight, shipped[name]), name
    cfg = Config.fromfile(ZERO_SHOT)
    cfg.model.backbone.pretrained = cfg.model.head.pretrained = None
    with pytest.raises(ValueError, match='nothing says where the weights'):
        ltvl_mm.get_model(cfg, True)
    (tmp_path / 'work_dirs/ballad_a').mkdir(parents=True)
    clip.rename(tmp_path / 'work_dirs/ballad_a/epoch_5.pth')
    with pytest.raises(ValueError, match='nothing says where the weights'):
        ltvl_mm.get_model(TOY / 'ballad/ballad_b.py', True)  # the adapter has
    with pytest.raises(ValueError, match=r'work_dirs/cross_entropy_r18'):
        ltvl_mm.get_model(TOY / 'ensemble/ensemble_r18.py', True)


def test_a_config_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r'there is no config gone\.py'):
        ltvl_mm.get_model('gone.py')


@pytest.mark.smoke
def test_importing_is_light_and_each_part_asks_for_what_it_needs():
    script = """
import sys
import ltvl_mm
assert not {'mmpretrain', 'ltvl_mm.apis', 'open_clip'} & set(sys.modules)
for name in ('open_clip', 'faiss'):
    sys.modules[name] = None  # importing it fails from here on
assert ltvl_mm.list_models and ltvl_mm.LongTailInferencer
for name in ('embed', 'retrieve'):
    try:
        getattr(ltvl_mm, name)
    except ImportError as error:
        assert 'pip install' in str(error), error
    else:
        raise AssertionError(f'{name} was imported')
assert not hasattr(ltvl_mm, 'no_such_part')
assert set(ltvl_mm.__all__) - {'__version__'} < set(ltvl_mm.apis.__all__)
"""
    subprocess.run([sys.executable, '-c', script], check=True, timeout=120)
