from types import SimpleNamespace

import pytest
from mmengine.registry import HOOKS

from ltvl_mm.engine.hooks import progress_bar


@pytest.fixture
def hook():
    return HOOKS.build(dict(type='ltvl_mm.ProgressBarHook'))


def test_a_resumed_training_goes_on_where_it_stopped(hook, capsys):
    runner = SimpleNamespace(max_iters=5, iter=2)
    hook.before_run(runner)
    hook.before_train(runner)
    for batch_idx in range(3):
        hook.after_train_iter(runner, batch_idx)
    hook.after_run(runner)
    shown = capsys.readouterr()
    assert shown.out == ''
    assert 'train:  40%' in shown.err
    assert '5/5' in shown.err


def test_a_test_is_shown_from_its_first_batch(hook, capsys):
    runner = SimpleNamespace(test_dataloader=range(4))
    hook.before_run(runner)
    hook.before_test(runner)
    for batch_idx in range(4):
        hook.after_test_iter(runner, batch_idx)
    hook.after_run(runner)
    shown = capsys.readouterr().err
    assert 'test:   0%' in shown
    assert '4/4' in shown


def test_only_the_main_process_shows_it(hook, capsys, monkeypatch):
    monkeypatch.setattr(progress_bar, 'is_main_process', lambda: False)
    runner = SimpleNamespace(max_iters=5, iter=0)
    hook.before_train(runner)
    hook.after_train_iter(runner, 0)
    hook.after_run(runner)
    assert capsys.readouterr().err == ''
