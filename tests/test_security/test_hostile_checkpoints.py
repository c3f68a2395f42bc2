"""Checkpoints of strangers are data: nothing in them is run."""

import copy
from pathlib import Path

import pytest
import torch
from hostile_files import FORMATS, write_hostile
from mmengine.config import Config
from mmengine.model import BaseModule
from mmengine.registry import DefaultScope
from mmengine.runner import CheckpointLoader, Runner, load_checkpoint
from PIL import Image
from small_inputs import ROOT
from tools_in_process import run_tool_here

import ltvl_mm
from ltvl_mm.clip.export import export_clip
from ltvl_mm.clip.towers import build_clip
from ltvl_mm.engine.feature_extraction import extract_features
from ltvl_mm.registry import MODELS
from ltvl_mm.structures.class_queries import load_queries
from ltvl_mm.structures.features import load_features
from ltvl_mm.structures.predictions import load_predictions
from ltvl_mm.utils.checkpoints import read_checkpoint, read_weights

STUDENT = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet', depth=18, base_channels=4, stem_channels=4),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=3, in_channels=32),
)
TOY = ROOT / 'configs/toy/cross_entropy/cross_entropy_r18.py'


def build(kind, **options):
    return MODELS.build({**copy.deepcopy(STUDENT), 'type': kind, **options})


def make_runner(folder, **options):
    return Runner(
        model=copy.deepcopy(STUDENT),
        work_dir=str(folder),
        default_scope='mmpretrain',
        experiment_name=folder.name,
        **options,
    )


def load_from(file, folder):
    make_runner(folder, load_from=str(file)).load_or_resume()


def resume(file, folder):
    make_runner(folder, load_from=str(file), resume=True).load_or_resume()


def resume_automatically(file, folder):
    (folder / 'last_checkpoint').write_text(str(file))
    make_runner(folder, resume=True).load_or_resume()


def embed(file, folder):
    (folder / 'images').mkdir()
    Image.new('RGB', (32, 32)).save(folder / 'images/a.png')
    ltvl_mm.embed(
        folder / 'images',
        folder / 'store',
        arch='ltvl-toy',
        pretrained=str(file),
    )


ENTRY_POINTS = {
    'read_checkpoint': lambda file, _: read_checkpoint(file),
    'read_weights': lambda file, _: read_weights(file),
    'clip': lambda file, _: build_clip('ltvl-toy', str(file)),
    'clip_backbone': lambda file, _: MODELS.build(
        dict(
            type='ltvl_mm.CLIPBackbone',
            arch='ltvl-toy',
            pretrained=str(file),
        )
    ),
    'export_clip': lambda file, folder: export_clip(
        'ltvl-toy', file, folder / 'out.pt'
    ),
    'embed': embed,
    'get_model': lambda file, _: ltvl_mm.get_model(
        Config(dict(model=STUDENT)), file
    ),
    'inferencer': lambda file, _: ltvl_mm.LongTailInferencer(str(TOY), file),
    'load_checkpoint': lambda file, _: load_checkpoint(
        build('ImageClassifier'), str(file)
    ),
    'load_from': load_from,
    'resume': resume,
    'resume_auto': resume_automatically,
    'init_cfg': lambda file, _: BaseModule(
        init_cfg=dict(type='Pretrained', checkpoint=str(file))
    ).init_weights(),
    'init_cfg_prefix': lambda file, _: BaseModule(
        init_cfg=dict(type='Pretrained', checkpoint=str(file), prefix='x')
    ).init_weights(),
    'stage_1': lambda file, _: build(
        'ltvl_mm.DecoupledClassifier', stage_1=str(file)
    ).init_weights(),
    'resumed_stage': lambda file, _: build(
        'ltvl_mm.DecoupledClassifier', stage_1='none'
    ).leave_stage_1(str(file)),
    'teacher': lambda file, _: build(
        'ltvl_mm.DistilledClassifier',
        teacher=STUDENT,
        teacher_checkpoint=str(file),
    ).init_weights(),
    'ensemble': lambda file, _: MODELS.build(
        dict(
            type='ltvl_mm.EnsembleClassifier',
            members=dict(a=STUDENT),
            weights=dict(a=1.0),
            checkpoints=dict(a=str(file)),
        )
    ),
    'extract_features': lambda file, _: extract_features(
        Config.fromfile(TOY), str(file), 'test'
    ),
    'features': lambda file, _: load_features(file),
    'predictions': lambda file, _: load_predictions(file),
    'class_queries': lambda file, _: load_queries(file),
}


@pytest.fixture(scope='module')
def hostile(tmp_path_factory):
    """Function from a format to its file, and the file it would make."""
    folder = tmp_path_factory.mktemp('hostile')
    marker = folder / 'code_ran'
    return {
        kind: write_hostile(kind, folder, marker) for kind in FORMATS
    }, marker


@pytest.fixture(autouse=True)
def toy_scope(toy_home, monkeypatch):
    monkeypatch.chdir(toy_home)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


@pytest.mark.parametrize('kind', FORMATS)
@pytest.mark.parametrize('entry', ENTRY_POINTS)
def test_nothing_in_a_file_runs(entry, kind, hostile, tmp_path):
    files, marker = hostile
    with pytest.raises(ValueError, match=files[kind].name):
        ENTRY_POINTS[entry](files[kind], tmp_path)
    assert not marker.exists()


@pytest.mark.parametrize(
    ('tool', 'arguments'),
    [
        ('test.py', [TOY, '{file}', '--work-dir', '{out}']),
        (
            'train.py',
            [TOY, '--work-dir', '{out}', '--resume', '{file}'],
        ),
        (
            'train.py',
            [TOY, '--work-dir', '{out}', '--cfg-options', 'load_from={file}'],
        ),
        (
            'analysis_tools/save_features.py',
            [TOY, '{file}', '--split', 'test', '-o', '{out}/x.npz'],
        ),
        (
            'model_converters/to_open_clip.py',
            ['{file}', '{out}/x.pt', '--arch', 'ltvl-toy'],
        ),
        (
            'model_converters/container_to_ltvl.py',
            ['{file}', '{out}/x.pth'],
        ),
        (
            'model_converters/convert_checkpoint.py',
            ['{file}', '{out}/x.pth'],
        ),
    ],
)
def test_no_tool_runs_a_file(tool, arguments, hostile, tmp_path):
    files, marker = hostile
    file = files['getattr_chain']
    words = [
        str(word).replace('{file}', str(file)).replace('{out}', str(tmp_path))
        for word in arguments
    ]
    with pytest.raises((ValueError, SystemExit), match=file.name):
        run_tool_here(tool, *words)
    assert not marker.exists()


@pytest.mark.parametrize('kind', ['getattr_chain', 'torchscript'])
def test_the_files_do_act_when_they_are_run(kind, tmp_path):
    marker = tmp_path / 'code_ran'
    file = write_hostile(kind, tmp_path, marker)
    if kind == 'torchscript':
        torch.jit.load(file)
    else:
        torch.load(file, weights_only=False)
    assert marker.exists()


def test_a_refused_file_is_named_with_what_it_holds_and_the_remedy(hostile):
    files, _ = hostile
    with pytest.raises(
        ValueError,
        match=r'zip_pickle\.pth was not loaded: .* it holds posix\.system, '
        r'.*convert_checkpoint\.py .*zip_pickle\.pth OUT\.pth --trusted',
    ):
        read_checkpoint(files['zip_pickle'])


def test_the_config_in_a_checkpoint_is_not_run_on_resume(tmp_path):
    marker = tmp_path / 'code_ran'
    model = build('ImageClassifier')
    file = tmp_path / 'a.pth'
    torch.save(
        {
            'state_dict': model.state_dict(),
            'meta': {
                'epoch': 1,
                'iter': 1,
                'config': f'open({str(marker)!r}, "w")\nx = 1',
            },
            'message_hub': {},
        },
        file,
    )
    checkpoint = CheckpointLoader.load_checkpoint(str(file))
    assert checkpoint['meta'] == {'epoch': 1, 'iter': 1}
    # mmengine reads the config first, and then finds the log incomplete.
    with pytest.raises(AssertionError, match='log_scalars'):
        run_tool_here(
            *('train.py', TOY, '--work-dir', tmp_path, '--resume', file)
        )
    assert not marker.exists()


def test_types_that_others_allow_stay_out(hostile):
    files, marker = hostile
    with torch.serialization.safe_globals([getattr, slice]):
        with pytest.raises(ValueError, match='getattr_chain'):
            read_checkpoint(files['getattr_chain'])
        # And they are allowed again afterwards.
        assert getattr in torch.serialization.get_safe_globals()
    assert not marker.exists()


def test_every_scheme_of_mmengine_is_replaced():
    modules = {
        loader.__module__ for loader in CheckpointLoader._schemes.values()
    }
    assert modules == {'ltvl_mm.utils.mmengine_checkpoints'}


def test_addresses_are_read_as_data(tmp_path, monkeypatch, hostile):
    files, marker = hostile
    cache = tmp_path / 'checkpoints'
    cache.mkdir()
    file = files['zip_pickle']
    (cache / 'r.pth').write_bytes(Path(file).read_bytes())
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    with pytest.raises(ValueError, match=r'r\.pth was not loaded'):
        CheckpointLoader.load_checkpoint('https://a.b/r.pth')
    assert not marker.exists()
