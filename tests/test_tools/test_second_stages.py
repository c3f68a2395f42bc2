"""Stages after another, and PaCo's, as users run them."""

import json
import shutil

import kill_hook
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from small_inputs import ROOT

from ltvl_mm.registry import MODELS

STUDENT = 'cross_entropy/cross_entropy_r18'
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


def train(run, config, folder, *options, retrieved=None, **settings):
    flags = () if retrieved is None else ('--retrieved', retrieved)
    return run(
        *('python', 'tools/train.py', f'configs/toy/{config}.py', *flags),
        *('--work-dir', folder, '--cfg-options', *SMALL, *options),
        **settings,
    )


def read_weights(file):
    return torch.load(file, weights_only=False)['state_dict']


@pytest.fixture(scope='module')
def stage_1(run_here, toy_manifest, tmp_path_factory):
    """Folder of a first stage, on target and retrieved images."""
    folder = tmp_path_factory.mktemp('stage_1')
    train(run_here, STUDENT, folder, retrieved=toy_manifest)
    return folder


@pytest.fixture(scope='module')
def plain_stage_1(tmp_path_factory):
    """File of a first stage that learnt nothing."""
    file = tmp_path_factory.mktemp('plain') / 'stage_1.pth'
    cfg = Config.fromfile(ROOT / f'configs/toy/{STUDENT}.py')
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        torch.save(MODELS.build(cfg.model).state_dict(), file)
    return file


@pytest.mark.parametrize('method', TRAINED)
def test_a_second_stage_changes_what_it_trains_alone(
    run_here, stage_1, toy_manifest, tmp_path, method
):
    train(
        run_here,
        f'{method}/{method}_r18',
        tmp_path,
        f'model.stage_1={stage_1}',
        retrieved=toy_manifest,
    )
    first = read_weights(stage_1 / 'epoch_1.pth')
    second = read_weights(tmp_path / 'epoch_1.pth')
    changed = {
        name
        for name, value in second.items()
        if name not in first or not torch.equal(first[name], value)
    }
    # As in the authors' code, BatchNorm's statistics move (freeze_bn=False).
    statistics = {
        name
        for name in changed
        if name.endswith(('running_mean', 'running_var', '_tracked'))
    }
    assert 'backbone.bn1.running_mean' in statistics
    assert changed - statistics == TRAINED[method]


def test_a_second_stage_without_a_first_says_so(run_here, tmp_path):
    log = train(
        run_here,
        'crt/crt_r18',
        tmp_path,
        f'model.stage_1={tmp_path}/none.pth',
        status=1,
    )
    assert 'none.pth does not exist; train it first' in log


@pytest.fixture(scope='module')
def experts(run_here, tmp_path_factory):
    """Folder of three experts."""
    folder = tmp_path_factory.mktemp('experts')
    train(run_here, 'ride/ride_r18', folder)
    return folder


def test_routers_are_trained_alone_and_their_cost_is_reported(
    run_here, experts, tmp_path
):
    config = 'ride/ride_routed_r18'
    train(run_here, config, tmp_path, f'model.stage_1={experts}')
    first = read_weights(experts / 'epoch_1.pth')
    second = read_weights(tmp_path / 'epoch_1.pth')
    for name, value in second.items():
        if name.startswith('router'):
            assert name not in first
        else:
            assert torch.equal(first[name], value), name
    out = tmp_path / 'metrics.json'
    run_here(
        *('python', 'tools/test.py', f'configs/toy/{config}.py', tmp_path),
        *('--work-dir', tmp_path, '--out', out, '--out-item=metrics'),
    )
    metrics = json.loads(out.read_text())
    assert 1 <= metrics['routing/experts_used/few'] <= 3
    assert 'routing/experts_used/all' in metrics
    # Those of one expert, and of three.
    assert 6.0e6 < metrics['routing/multiply_adds/all'] < 11.0e6
    assert 'shot/all' in metrics


def test_a_killed_student_goes_on_with_its_teacher(
    run_tool, run_here, experts, tmp_path
):
    options = (
        f'model.teacher_checkpoint={experts}',
        'train_cfg.max_epochs=2',
        'model.teacher.backbone.num_experts=3',
        'model.teacher.head.num_experts=3',
        'model.backbone.num_experts=2',
        'model.head.num_experts=2',
    )
    _compare_killed(
        run_tool, run_here, 'ride/ride_from6_r18', tmp_path, options
    )


def test_a_killed_paco_ends_as_an_undisturbed_one(
    run_tool, run_here, tmp_path
):
    options = ('train_cfg.max_epochs=2', 'model.queue_size=48')
    expected = _compare_killed(
        run_tool, run_here, 'paco/paco_r18', tmp_path, options
    )
    assert (expected['queue_labels'] >= 0).all()


def test_a_killed_oltr_keeps_its_centroids_and_needs_no_first_stage(
    run_tool, run_here, plain_stage_1, tmp_path
):
    stage_1 = tmp_path / 'stage_1.pth'
    shutil.copy(plain_stage_1, stage_1)
    expected = _compare_killed(
        run_tool,
        run_here,
        'oltr/oltr_r18',
        tmp_path,
        ('train_cfg.max_epochs=2', f'model.stage_1={stage_1}'),
        gone=stage_1,
    )
    assert expected['head.centroids'].any()


def _compare_killed(
    run_tool, run_here, config, tmp_path, options, *, gone=None
):
    """Return the weights that a run ends with, killed or not.

    The file ``gone`` is not there any more when it resumes.
    """
    train(run_here, config, tmp_path / 'whole', *options)
    killed = tmp_path / 'killed'
    train(
        run_tool,
        config,
        killed,
        *options,
        kill_hook.OPTION,
        **kill_hook.VARIABLES,
        status=-9,
    )
    assert not (killed / 'epoch_2.pth').exists()
    if gone is not None:
        gone.unlink()
    train(run_here, config, killed, *options, 'resume=True')
    expected = read_weights(tmp_path / 'whole/epoch_2.pth')
    found = read_weights(killed / 'epoch_2.pth')
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name
    return expected
