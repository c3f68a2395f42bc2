"""Which family of OpenMMLab packages is there, and what to do."""

import sys

import pytest

from ltvl_mm import check_env
from ltvl_mm.check_env import find_faults

FORK = {
    'onedl-mmengine': '0.10.12',
    'onedl-mmcv': '2.3.6',
    'onedl-mmpretrain': '1.3.6',
}
UPSTREAM = {'mmengine': '0.10.7', 'mmcv': '2.1.0', 'mmpretrain': '1.2.0'}


@pytest.fixture(autouse=True)
def needs_torch_alone(monkeypatch):
    monkeypatch.setattr(check_env, 'list_needed', lambda: ['torch'])


@pytest.mark.parametrize(
    'installed',
    [
        {**FORK, 'torch': '2.15.0+cpu', 'setuptools': '84.0'},
        {**UPSTREAM, 'torch': '2.6.0', 'setuptools': '81.0.0'},
        {
            **UPSTREAM,
            'mmcv-lite': '2.2.0',
            'torch': '2.6.0',
            'setuptools': '81.0.0',
        },
    ],
)
def test_each_family_alone_is_complete(installed):
    assert find_faults(installed) == []


@pytest.mark.parametrize(
    ('installed', 'message', 'remedy'),
    [
        (
            {},
            'no OpenMMLab packages',
            'pip install onedl-mmengine onedl-mmcv onedl-mmpretrain',
        ),
        (
            {**FORK, **UPSTREAM},
            'both families',
            'pip uninstall -y onedl-mmengine onedl-mmcv onedl-mmpretrain '
            'mmengine mmcv mmpretrain && ',
        ),
        (
            {'mmengine': '0.10.7', 'mmcv': '2.1.0', 'torch': '2.6.0'},
            'mmpretrain is missing beside mmengine, mmcv',
            'pip install mmpretrain',
        ),
        (
            {**UPSTREAM, 'torch': '2.6.0', 'setuptools': '82.0'},
            'pkg_resources',
            "pip install 'setuptools<82'",
        ),
        ({**FORK, 'torch': '2.5.1'}, 'torch 2.5.1', "'torch>=2.6'"),
        (FORK, 'packages are missing', 'pip install torch'),
    ],
)
def test_faults_name_the_command_that_repairs_them(installed, message, remedy):
    (fault,) = find_faults(installed)
    assert message in fault
    assert f'{sys.executable} -m pip' in fault
    assert remedy in fault
