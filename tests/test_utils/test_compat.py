import warnings

import pytest

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
