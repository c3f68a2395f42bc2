import warnings

import pytest
from mmengine.config import Config

from ltvl_mm.utils import compat


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


@pytest.mark.parametrize(
    'name', ['tackle_rx50.py', 'crt/crt_rx50_8xb64-10e_imagenet-lt.py']
)
def test_configs_inherit_ours_by_name(name, tmp_path):
    file = tmp_path / 'mine.py'
    file.write_text(f"_base_ = 'ltvl_mm::{name}'\nwork_dir = 'w'\n")
    cfg = Config.fromfile(file)
    assert cfg.work_dir == 'w'
    assert cfg.default_scope == 'mmpretrain'
    assert cfg.model.backbone.type == 'ResNeXt'


def test_a_config_of_ours_that_is_misspelt_is_named(tmp_path):
    file = tmp_path / 'mine.py'
    file.write_text("_base_ = 'ltvl_mm::tackle/tackle_rx50.py'")
    with pytest.raises(ValueError, match=r'did you mean tackle_rx50\.py'):
        Config.fromfile(file)
