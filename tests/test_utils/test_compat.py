import warnings

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader

from ltvl_mm.utils import compat
from ltvl_mm.utils.checkpoints import read_weights


@pytest.mark.smoke
def test_a_checkpoint_of_the_host_loads_with_weights_only(tmp_path):
    history = HistoryBuffer()
    history.update(0.5)
    content = {
        'message_hub': {'log_scalars': {'train/loss': history}},
        'numbers': [np.float64(1), np.float32(2), np.int64(3), np.bool_(True)],
        'array': np.arange(3, dtype=np.uint8),
    }
    torch.save(content, tmp_path / 'epoch_1.pth')
    compat.allow_host_checkpoints()  # a test before may have loaded one
    loaded = torch.load(tmp_path / 'epoch_1.pth', weights_only=True)
    assert loaded['message_hub']['log_scalars']['train/loss'].current() == 0.5
    assert loaded['numbers'] == content['numbers']
    assert loaded['array'].tolist() == [0, 1, 2]


@pytest.mark.smoke
def test_what_the_host_loads_takes_nothing_from_who_loads_next(tmp_path):
    history = HistoryBuffer()
    history.update(0.5)
    state = {'weight': torch.ones(2)}
    file = tmp_path / 'epoch_1.pth'
    torch.save({'message_hub': history, 'state_dict': state}, file)
    CheckpointLoader.load_checkpoint(str(file), map_location='cpu')
    assert read_weights(file)['weight'].tolist() == [1, 1]


class Unknown:
    """Something that no checkpoint should hold."""


def test_anything_else_is_still_refused(tmp_path):
    torch.save(Unknown(), tmp_path / 'odd.pth')
    with pytest.raises(Exception, match='Weights only load failed'):
        torch.load(tmp_path / 'odd.pth', weights_only=True)


def test_old_torch_without_a_list_of_safe_types_is_left_alone(monkeypatch):
    monkeypatch.delattr(torch.serialization, 'add_safe_globals')
    compat.allow_host_checkpoints()


@pytest.mark.parametrize(
    ('installed', 'warns'),
    [
        ({'mmengine', 'mmpretrain'}, False),
        ({'onedl-mmengine', 'onedl-mmpretrain'}, False),
        ({'onedl-mmengine', 'mmengine', 'onedl-mmpretrain'}, True),
    ],
)
def test_two_families_of_the_host_are_warned_of(installed, warns, monkeypatch):
    def version(name):
        if name not in installed:
            raise compat.PackageNotFoundError(name)
        return '1.0'

    monkeypatch.setattr(compat, 'version', version)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        compat.warn_of_mixed_stacks()
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == warns
    assert all('both mmengine and onedl-mmengine' in m for m in messages)


def test_the_warning_of_missing_operators_is_silenced():
    with warnings.catch_warnings(record=True) as caught:
        warnings.resetwarnings()
        compat.silence_missing_operators()
        warnings.warn(
            'Fail to import ``MultiScaleDeformableAttention`` from mmcv',
            stacklevel=1,
        )
        warnings.warn('anything else', stacklevel=1)
    assert [str(warning.message) for warning in caught] == ['anything else']
