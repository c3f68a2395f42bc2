import shutil

import pytest
import torch
from toy_clip import write_toy_classifier

from ltvl_mm.clip import weight_files
from ltvl_mm.clip.export import export_clip
from ltvl_mm.clip.preprocessing import find_preprocessing
from ltvl_mm.clip.towers import build_clip
from ltvl_mm.utils.io import hash_file, write_json


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    """File of a toy model in half precision, and that model."""
    folder = tmp_path_factory.mktemp('export')
    checkpoint = write_toy_classifier(folder / 'a.pth')
    file = folder / 'toy.safetensors'
    model = export_clip('ltvl-toy', checkpoint, file, half=True)
    return file, model


@pytest.fixture
def shipped(exported, tmp_path, monkeypatch):
    """Folder of shipped weights that holds the toy model."""
    file = shutil.copy(exported[0], tmp_path)
    entry = {'file': 'toy.safetensors', 'sha256': hash_file(file)}
    write_json(tmp_path / 'index.json', {'ltvl-toy': {'mine': entry}})
    monkeypatch.setattr(weight_files, '_FOLDER', tmp_path)
    return tmp_path


def test_a_shipped_tag_is_loaded_as_it_was_exported(exported, shipped):
    model = build_clip('ltvl-toy', 'mine')
    for name, weight in exported[1].state_dict().items():
        assert torch.equal(model.state_dict()[name], weight)
        assert weight.dtype in (torch.float32, torch.int64)


def test_half_precision_takes_two_bytes_a_weight(exported):
    file, model = exported
    count = sum(weight.numel() for weight in model.parameters())
    assert 2 * count < file.stat().st_size < 2.1 * count


def test_weights_of_another_hash_are_refused(shipped):
    with open(shipped / 'toy.safetensors', 'ab') as file:
        file.write(b'x')
    with pytest.raises(ValueError, match=r'has the sha256 .*, expected'):
        build_clip('ltvl-toy', 'mine')


def test_missing_weights_are_an_error(shipped):
    (shipped / 'toy.safetensors').unlink()
    with pytest.raises(ValueError, match=r'are missing .* install ltvl_mm'):
        build_clip('ltvl-toy', 'mine')


def test_an_unknown_tag_names_the_shipped_ones(shipped):
    with pytest.raises(ValueError, match='its tags: mine'):
        build_clip('ltvl-toy', 'other')


def test_shipped_weights_say_nothing_of_their_preprocessing(shipped, capfd):
    found = find_preprocessing('ltvl-toy', 'mine')
    assert found == find_preprocessing('ltvl-toy', None)
    assert 'does not name its preprocessing' not in capfd.readouterr().err
