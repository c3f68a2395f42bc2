import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader, save_checkpoint
from torch import nn

from ltvl_mm.utils.checkpoints import (
    find_checkpoint,
    read_checkpoint,
    read_weights,
    write_state,
)
from ltvl_mm.utils.mmengine_checkpoints import make_plain_checkpoint


def test_a_file_or_an_address_stays_as_it_is(tmp_path):
    assert find_checkpoint('https://a.b/c.pth') == 'https://a.b/c.pth'
    assert find_checkpoint(tmp_path / 'a.pth') == str(tmp_path / 'a.pth')


def test_a_folder_means_its_best_checkpoint_else_its_last(tmp_path):
    with pytest.raises(ValueError, match='holds no checkpoint; train first'):
        find_checkpoint(tmp_path)
    (tmp_path / 'last_checkpoint').write_text('/elsewhere/epoch_3.pth\n')
    assert find_checkpoint(tmp_path) == str(tmp_path / 'epoch_3.pth')
    best = tmp_path / 'best_shot_all_epoch_2.pth'
    best.touch()
    assert find_checkpoint(tmp_path) == str(best)
    # Training resumes from where it ended.
    last = find_checkpoint(tmp_path, prefer_best=False)
    assert last == str(tmp_path / 'epoch_3.pth')
    (tmp_path / 'best_shot_few_epoch_1.pth').touch()
    with pytest.raises(ValueError, match='several best checkpoints'):
        find_checkpoint(tmp_path)


def make_history(*values):
    history = HistoryBuffer()
    for value in values:
        history.update(value, 2)
    return history


def make_checkpoint():
    """Return a checkpoint with everything that mmengine may store."""
    state = nn.BatchNorm1d(2).state_dict()
    return {
        'meta': {'epoch': 3, 'dataset_meta': {'classes': ('cat', 'owl')}},
        'state_dict': state,
        'message_hub': {
            'log_scalars': {'train/loss': make_history(0.1, 0.7)},
            'runtime_info': {'best_score': np.float64(0.25)},
            'resumed_keys': {'train/loss': True},
        },
        'numbers': [np.float32(2), np.int64(3), np.bool_(True)],
        'array': np.arange(6, dtype=np.uint8).reshape(2, 3),
        'columns': np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    }


@pytest.mark.smoke
@pytest.mark.parametrize('zipped', [True, False])
def test_a_checkpoint_of_mmengine_is_read_with_its_history(tmp_path, zipped):
    file = tmp_path / 'epoch_1.pth'
    torch.save(make_checkpoint(), file, _use_new_zipfile_serialization=zipped)
    found = CheckpointLoader.load_checkpoint(str(file), map_location='cpu')
    history = found['message_hub']['log_scalars']['train/loss']
    assert isinstance(history, HistoryBuffer)
    assert [part.tolist() for part in history.data] == [[0.1, 0.7], [2, 2]]
    assert history.statistics('current') == 0.7
    assert found['message_hub']['runtime_info'] == {'best_score': 0.25}
    assert found['numbers'] == [2, 3, True]
    assert found['array'].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found['columns'].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found['state_dict']._metadata[''] == {'version': 2}
    assert read_weights(file)['weight'].tolist() == [1, 1]


@pytest.mark.smoke
def test_a_plain_checkpoint_loads_everywhere_and_resumes(tmp_path):
    checkpoint = make_checkpoint()
    assert make_plain_checkpoint(checkpoint) == []
    file = tmp_path / 'epoch_1.pth'
    save_checkpoint(checkpoint, str(file))
    before = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    try:
        stock = torch.load(file, weights_only=True)
    finally:
        torch.serialization.add_safe_globals(before)
    assert stock['message_hub']['runtime_info'] == {'best_score': 0.25}
    assert stock['array'] == [[0, 1, 2], [3, 4, 5]]
    assert stock['state_dict']._metadata[''] == {'version': 2}
    resumed = CheckpointLoader.load_checkpoint(str(file))
    history = resumed['message_hub']['log_scalars']['train/loss']
    assert [part.tolist() for part in history.data] == [[0.1, 0.7], [2, 2]]


def test_what_has_no_plain_form_is_listed():
    checkpoint = {'meta': {'a': [object()]}}
    assert make_plain_checkpoint(checkpoint) == ['meta.a.0 (object)']


@pytest.mark.parametrize('name', ['x.safetensors', 'x.pt'])
def test_states_are_written_and_read_back(name, tmp_path):
    weight = torch.arange(6.0).reshape(2, 3)
    state = {'weight': weight, 'tied': weight, 'turned': weight.T}
    write_state(tmp_path / name, state)
    found = read_weights(tmp_path / name)
    assert found.keys() == state.keys()
    assert all(torch.equal(found[key], state[key]) for key in state)


def test_an_array_of_objects_is_refused(tmp_path):
    torch.save({'x': np.array([{}], dtype=object)}, tmp_path / 'x.pth')
    with pytest.raises(ValueError, match=r"x\.pth .* dtype 'O8'"):
        read_checkpoint(tmp_path / 'x.pth')


def test_only_files_are_read():
    with pytest.raises(ValueError, match='/dev/zero does not exist'):
        read_checkpoint('/dev/zero')
