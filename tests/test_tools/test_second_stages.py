"""cRT, LWS, OLTR and PaCo as users run them: what stays, what is trained."""

import kill_hook
import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from mmengine.registry import DefaultScope

from ltvl_mm.registry import MODELS

SMALL = (
    'train_cfg.max_epochs=1',
    'train_cfg.val_interval=1',
    'train_dataloader.batch_size=16',
    'train_dataloader.sampler.epoch_size=32',
)
TRAINED = {
    'crt': {'head.fc.weight', 'head.fc.bias'},
    'lws': {'head.scales'},
    'oltr': {
        *(f'neck.{part}.weight' for part in ('mask', 'query', 'key', 'value')),
        *(f'neck.{part}.bias' for part in ('query', 'key', 'value')),
        *(f'neck.places.{part}' for part in ('weight', 'bias')),
        *(f'head.hallucinator.{part}' for part in ('weight', 'bias')),
        *(f'head.selector.{part}' for part in ('weight', 'bias')),
        'head.fc.weight',
        'head.centroids',
    },
}


def train(run_tool, config, folder, *options, **settings):
    return run_tool(
        *('python', 'tools/train.py', f'configs/toy/{config}.py'),
        *('--work-dir', folder, '--cfg-options', *SMALL, *options),
        **settings,
    )


def read_weights(file):
    return torch.load(file, weights_only=False)['state_dict']


@pytest.fixture(scope='module')
def stage_1(run_tool, tmp_path_factory):
    """Folder of a first stage, on target and retrieved images."""
    folder = tmp_path_factory.mktemp('stage_1')
    train(run_tool, 'tackle_rx', folder)
    return folder


@pytest.fixture(scope='module')
def plain_stage_1(tmp_path_factory):
    """File of a first stage that learnt nothing."""
    file = tmp_path_factory.mktemp('plain') / 'stage_1.pth'
    cfg = Config.fromfile(ROOT / 'configs/toy/rx.py')
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        torch.save(MODELS.build(cfg.model).state_dict(), file)
    return file


@pytest.mark.parametrize('method', TRAINED)
def test_a_second_stage_changes_what_it_trains_alone(
    run_tool, stage_1, tmp_path, method
):
    train(
        run_tool,
        f'baselines/tackle_{method}',
        tmp_path,
        LTVL_TOY_STAGE_1=str(stage_1),
        LTVL_TOY_TACKLE_STAGE_1=str(stage_1),
    )
    first = read_weights(stage_1 / 'epoch_1.pth')
    second = read_weights(tmp_path / 'epoch_1.pth')
    changed = {
        name
        for name, value in second.items()
        if name not in first or not torch.equal(first[name], value)
    }
    assert changed == TRAINED[method]


def test_a_second_stage_without_a_first_says_so(run_tool, tmp_path):
    log = train(
        run_tool,
        'baselines/crt',
        tmp_path,
        status=1,
        LTVL_TOY_STAGE_1=str(tmp_path / 'none.pth'),
    )
    assert 'none.pth does not exist; train it first' in log


@pytest.mark.parametrize('method', ['paco', 'oltr'])
def test_a_killed_run_ends_as_an_undisturbed_one(
    run_tool, plain_stage_1, tmp_path, method
):
    options = ['train_cfg.max_epochs=2']
    if method == 'paco':
        options.append('model.queue_size=48')
    config = f'baselines/{method}'
    place = {'LTVL_TOY_STAGE_1': str(plain_stage_1)}
    train(run_tool, config, tmp_path / 'whole', *options, **place)
    killed = tmp_path / 'killed'
    train(
        run_tool,
        config,
        killed,
        *options,
        kill_hook.OPTION,
        **kill_hook.VARIABLES,
        **place,
        status=-9,
    )
    assert not (killed / 'epoch_2.pth').exists()
    train(run_tool, config, killed, *options, 'resume=True', **place)
    expected = read_weights(tmp_path / 'whole/epoch_2.pth')
    found = read_weights(killed / 'epoch_2.pth')
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name
    if method == 'paco':
        assert (expected['queue_labels'] >= 0).all()
    else:
        assert expected['head.centroids'].any()
