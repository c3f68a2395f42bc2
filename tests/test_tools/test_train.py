"""Training, resuming and testing by the tools, as users run them."""

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import kill_hook
import mmengine
import pytest
import torch
from mmengine.config import Config

from ltvl_mm.clip.towers import build_clip

ROOT = Path(__file__).parents[2]
STUDENT = 'configs/toy/cross_entropy/cross_entropy_r18.py'
ZERO_SHOT = 'configs/toy/clip_zero_shot/clip_zero_shot.py'
SMALL = (
    'train_cfg.max_epochs=2',
    'train_cfg.val_interval=1',
    'train_dataloader.batch_size=16',
    'train_dataloader.sampler.epoch_size=64',
)


@pytest.fixture(scope='module')
def undisturbed(run_here, toy_manifest, tmp_path_factory):
    """Folder of a run of two epochs."""
    folder = tmp_path_factory.mktemp('undisturbed')
    train(run_here, toy_manifest, folder)
    return folder


def train(run, manifest, folder, *options, **settings):
    return run(
        *('python', 'tools/train.py', STUDENT, '--work-dir', folder),
        *('--retrieved', manifest, '--cfg-options', *SMALL, *options),
        **settings,
    )


def read_checkpoint(folder):
    # Ours hold plain data: without any list of allowed types.
    return torch.load(folder / 'epoch_2.pth', weights_only=True)


@pytest.mark.smoke
def test_a_killed_and_resumed_run_ends_with_the_same_bytes(
    run_tool, toy_manifest, undisturbed, tmp_path
):
    train(
        run_tool,
        toy_manifest,
        tmp_path,
        kill_hook.OPTION,
        **kill_hook.VARIABLES,
        status=-9,
    )
    assert (tmp_path / 'epoch_1.pth').exists()
    assert not (tmp_path / 'epoch_2.pth').exists()
    log = train(run_tool, toy_manifest, tmp_path, 'resume=True')
    assert 'resumed epoch: 1' in log
    resumed, expected = read_checkpoint(tmp_path), read_checkpoint(undisturbed)
    assert resumed['state_dict'].keys() == expected['state_dict'].keys()
    for name, weight in expected['state_dict'].items():
        assert torch.equal(resumed['state_dict'][name], weight), name
    # The epochs differ: else the test could not see a repeated one.
    first = torch.load(undisturbed / 'epoch_1.pth', weights_only=False)
    assert any(
        not torch.equal(first['state_dict'][name], weight)
        for name, weight in expected['state_dict'].items()
    )


@pytest.mark.smoke
def test_a_checkpoint_is_tested_and_its_metrics_written(
    run_here, undisturbed, tmp_path
):
    run_here(
        *('python', 'tools/test.py', STUDENT, undisturbed / 'epoch_2.pth'),
        *('--work-dir', tmp_path, '--out', tmp_path / 'metrics.json'),
        *('--out-item', 'metrics'),
    )
    metrics = json.loads((tmp_path / 'metrics.json').read_text())
    classes = metrics['shot/per_class']
    assert len(classes) == 96
    assert metrics['shot/all'] == pytest.approx(sum(classes) / 96)
    assert metrics['shot/few'] == pytest.approx(sum(classes) / 96)
    assert 'shot/many' not in metrics  # no class has 100 training images


@pytest.mark.smoke
def test_clip_is_trained_and_its_checkpoint_loads(run_here, tmp_path):
    run_here(
        *('python', 'tools/train.py', 'configs/toy/clip/clip.py'),
        *('--work-dir', tmp_path, '--cfg-options', 'train_cfg.max_epochs=1'),
        'train_dataloader.batch_size=16',
        'train_dataloader.sampler.epoch_size=48',
        'train_dataloader.dataset.length=48',
        f'train_dataloader.dataset.cache={tmp_path}/corpus',
    )
    model = build_clip('ltvl-toy', str(tmp_path / 'epoch_1.pth'))
    state = torch.load(tmp_path / 'epoch_1.pth', weights_only=False)
    trained = state['state_dict']['head.text.text_projection']
    assert torch.equal(model.text.text_projection, trained)
    run_here(
        *('python', 'tools/test.py', ZERO_SHOT),
        *(tmp_path / 'epoch_1.pth', '--work-dir', tmp_path, '--tta'),
        *('--out', tmp_path / 'scores.pkl'),
    )
    predictions = mmengine.load(tmp_path / 'scores.pkl')
    assert len(predictions) == 96
    for prediction in predictions:
        assert prediction['pred_score'].shape == (96,)
        assert prediction['pred_score'].sum().item() == pytest.approx(1)


@pytest.mark.parametrize(
    ('flags', 'expected'),
    [
        ([], dict(work_dir='work_dirs/cross_entropy_r18', resume=False)),
        (['--work-dir', 'x'], dict(work_dir='x')),
        (['--no-validate'], dict(val_cfg=None, val_dataloader=None)),
        (['--resume'], dict(resume=True, load_from=None)),
        (['--resume', 'a.pth'], dict(resume=True, load_from='a.pth')),
        (['--cfg-options', 'randomness.seed=3'], dict(randomness={'seed': 3})),
        (['--launcher', 'none'], dict(launcher='none')),
    ],
    ids=lambda value: ' '.join(value) if isinstance(value, list) else '',
)
def test_flags_of_the_host_change_the_config(flags, expected, monkeypatch):
    tool = load_tool('train', monkeypatch)
    monkeypatch.setattr(sys, 'argv', ['train.py', STUDENT, *flags])
    cfg = Config.fromfile(ROOT / STUDENT)
    tool.merge_args(cfg, tool.parse_args())
    assert {name: cfg[name] for name in expected} == expected


def test_a_folder_resumes_from_its_last_checkpoint(tmp_path, monkeypatch):
    (tmp_path / 'last_checkpoint').write_text('/elsewhere/epoch_3.pth')
    (tmp_path / 'best_shot_all_epoch_2.pth').touch()
    tool = load_tool('train', monkeypatch)
    monkeypatch.setattr(
        sys, 'argv', ['train.py', STUDENT, '--resume', str(tmp_path)]
    )
    cfg = Config.fromfile(ROOT / STUDENT)
    tool.merge_args(cfg, tool.parse_args())
    assert cfg.resume is True
    assert cfg.load_from == str(tmp_path / 'epoch_3.pth')


def test_the_config_of_a_resumed_training_is_tested(monkeypatch):
    tool = load_tool('test', monkeypatch)
    monkeypatch.setattr(sys, 'argv', ['test.py', STUDENT])
    cfg = Config.fromfile(ROOT / STUDENT)
    cfg.resume = True
    tool.merge_args(cfg, tool.parse_args())
    assert cfg.resume is False


def test_options_name_the_split_that_is_tested(monkeypatch):
    tool = load_tool('test', monkeypatch)
    options = ['val_dataloader.batch_size=7', 'test_dataloader.batch_size=9']
    arguments = ['test.py', STUDENT, '--split=val', '--cfg-options', *options]
    monkeypatch.setattr(sys, 'argv', arguments)
    cfg = Config.fromfile(ROOT / STUDENT)
    tool.merge_args(cfg, tool.parse_args())
    assert cfg.test_dataloader.batch_size == 7


def test_log_lines_name_the_split_that_is_tested(monkeypatch):
    tool = load_tool('test', monkeypatch)
    line = 'Epoch(test) [4/4]    shot/all: 50.0'
    processor = SimpleNamespace(
        get_log_after_iter=lambda *_: ({}, line),
        get_log_after_epoch=lambda *_, with_non_scalar: ({'a': 1}, line),
    )
    runner = SimpleNamespace(log_processor=processor)
    tool.name_split_in_log(runner, 'val')
    expected = line.replace('test', 'val')
    assert processor.get_log_after_iter(runner, 0, 'test') == ({}, expected)
    assert processor.get_log_after_epoch(
        runner, 0, 'test', with_non_scalar=True
    ) == ({'a': 1}, expected)


def test_what_to_write_needs_a_file_to_write_to(monkeypatch, capsys):
    arguments = ['test.py', STUDENT, 'a.pth', '--out-item', 'metrics']
    monkeypatch.setattr(sys, 'argv', arguments)
    with pytest.raises(SystemExit):
        load_tool('test', monkeypatch).parse_args()
    assert '--out-item needs --out' in capsys.readouterr().err


def load_tool(name, monkeypatch):
    monkeypatch.setenv('LOCAL_RANK', '0')  # else the tool sets it for good
    spec = importlib.util.spec_from_file_location(
        f'{name}_tool', ROOT / 'tools' / f'{name}.py'
    )
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool
