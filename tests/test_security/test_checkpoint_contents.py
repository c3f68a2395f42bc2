"""Checkpoints without weights, or with more than weights."""

import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from mmengine.registry import DefaultScope
from small_inputs import ROOT
from tools_in_process import run_tool_here
from toy_clip import write_toy_classifier

from ltvl_mm.structures.features import load_features
from ltvl_mm.utils.checkpoints import read_checkpoint, read_weights

TOY = ROOT / 'configs/toy/cross_entropy/cross_entropy_r18.py'


@pytest.fixture(autouse=True)
def toy_scope(toy_home, monkeypatch):
    monkeypatch.chdir(toy_home)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


@pytest.mark.parametrize('value', [{'state_dict': {}}, {}, [1]])
def test_no_weights_are_an_error(value, tmp_path):
    torch.save(value, tmp_path / 'empty.pth')
    with pytest.raises(ValueError, match=r'empty\.pth holds'):
        read_weights(tmp_path / 'empty.pth')


@pytest.mark.parametrize(
    'state', [{}, {'backbone.conv1.weight': torch.ones(1)}]
)
def test_a_model_is_not_scored_without_its_weights(state, tmp_path):
    torch.save({'state_dict': state}, tmp_path / 'part.pth')
    with pytest.raises(SystemExit, match=r'part\.pth (lacks|does not fit)'):
        run_tool_here(
            'test.py', TOY, tmp_path / 'part.pth', '--work-dir', tmp_path
        )


def test_ours_convert_and_load(tmp_path):
    file = write_toy_classifier(tmp_path / 'a.pth')
    content = torch.load(file, weights_only=True)
    content['odd'] = {'path': tmp_path, 'kind': Path}
    torch.save(content, file)
    with pytest.raises(ValueError, match='pathlib'):
        read_checkpoint(file)
    run_tool_here(
        'model_converters/convert_checkpoint.py',
        *(file, tmp_path / 'b.pth', '--trusted'),
    )
    found = torch.load(tmp_path / 'b.pth', weights_only=True)
    assert found['odd'] == {'path': str(tmp_path), 'kind': None}
    assert found['state_dict'].keys() == content['state_dict'].keys()


def test_a_tensor_that_repeats_one_number_is_refused(tmp_path):
    weight = torch.ones(1).expand(1 << 40)
    torch.save({'state_dict': {'w': weight}}, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match=r'a\.pth .* expands to 4,398,046,'):
        read_checkpoint(tmp_path / 'a.pth')


def test_a_compressed_archive_is_refused_before_it_is_unpacked(tmp_path):
    torch.save({'state_dict': {'w': torch.zeros(1)}}, tmp_path / 'plain.pth')
    with (
        zipfile.ZipFile(tmp_path / 'plain.pth') as plain,
        zipfile.ZipFile(
            tmp_path / 'a.pth', 'w', zipfile.ZIP_DEFLATED
        ) as archive,
    ):
        for name in plain.namelist():
            zeros = bytes(101_000_000) if name.endswith('data/0') else b''
            archive.writestr(name, zeros or plain.read(name))
    with pytest.raises(ValueError, match=r'a\.pth .* expands to 101,'):
        read_checkpoint(tmp_path / 'a.pth')


def test_tuples_that_contain_one_another_are_read_at_once(tmp_path):
    meta = ()
    for _ in range(60):  # 2^60 paths to the innermost
        meta = (meta, meta)
    torch.save(
        {'state_dict': {'w': torch.ones(1)}, 'meta': meta}, tmp_path / 'a.pth'
    )
    found = read_checkpoint(tmp_path / 'a.pth')['meta']
    assert found[0] is found[1]


@pytest.mark.parametrize('name', ['broken.pth', 'none.pth', '.'])
def test_the_converter_names_a_file_that_it_cannot_read(name, tmp_path):
    (tmp_path / 'broken.pth').write_bytes(b'garbage\n')
    file = tmp_path / name
    with pytest.raises(SystemExit, match=str(file)):
        run_tool_here(
            'model_converters/convert_checkpoint.py',
            *(file, tmp_path / 'b.pth', '--trusted'),
        )


def test_a_pickle_is_no_feature_cache(tmp_path):
    (tmp_path / 'x.npz').write_bytes(pickle.dumps([1]))
    with pytest.raises(ValueError, match=r'x\.npz does not hold'):
        load_features(tmp_path / 'x.npz')
