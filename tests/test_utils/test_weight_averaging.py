"""Averages of weights equal direct means."""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from torch import nn

from ltvl_mm.apis import soup_rounds
from ltvl_mm.apis.soup_rounds import check_rounds, find_imbalance
from ltvl_mm.apis.weight_soup import average_runs, merge_runs
from ltvl_mm.engine.hooks import AverageRunsHook
from ltvl_mm.utils.checkpoints import read_weights
from ltvl_mm.utils.weight_averaging import average_states, merge_in_order


def make_model(seed):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_()
        model[1].num_batches_tracked.fill_(seed)
    return model


STATES = [make_model(seed).state_dict() for seed in range(4)]
NOT_FINITE = (math.nan, math.inf)
FLOATS = [name for name in STATES[0] if STATES[0][name].is_floating_point()]


def check(found, expected):
    for name in FLOATS:
        torch.testing.assert_close(found[name], expected(name))
        assert found[name].dtype == torch.float32


def test_the_average_is_the_direct_mean():
    found = average_states(STATES)
    check(found, lambda name: torch.stack([s[name] for s in STATES]).mean(0))
    # A count is not a weight: that of the last.
    assert found['1.num_batches_tracked'] == 3


def test_weights_are_relative():
    found = average_states(STATES[:2], [3, 1])
    check(found, lambda n: 0.75 * STATES[0][n] + 0.25 * STATES[1][n])


def test_a_state_of_weight_0_has_no_part():
    first = {'w': torch.tensor([2.0]), 'count': torch.tensor(3)}
    second = {'w': torch.tensor([math.inf]), 'count': torch.tensor(9)}
    assert average_states([first, second], [1, 0]) == first
    assert average_states([second, first], [0, 1]) == first


def test_complex_weights_are_averaged():
    states = [{'w': torch.tensor([z])} for z in (1 + 1j, 3 + 5j)]
    found = average_states(states, [3, 1])['w']
    assert found == torch.tensor([1.5 + 2j])
    assert found.dtype == torch.complex64


def test_16_bit_weights_do_not_lose_precision_on_the_way():
    states = [{'w': torch.tensor([float(v)]).half()} for v in (1000, 1, 1, 2)]
    assert average_states(states)['w'] == torch.tensor([251.0]).half()


def test_rounds_are_an_exponential_average():
    rounds = list(merge_in_order(STATES[0], STATES[1:], 0.7))
    check(rounds[0], lambda n: 0.3 * STATES[0][n] + 0.7 * STATES[1][n])
    check(
        rounds[2],
        lambda n: (
            0.027 * STATES[0][n]
            + 0.063 * STATES[1][n]
            + 0.21 * STATES[2][n]
            + 0.7 * STATES[3][n]
        ),
    )


@pytest.mark.parametrize(
    ('states', 'weights', 'message'),
    [
        ([], None, 'no weights to average'),
        (STATES, [1], 'expected a finite weight >= 0 for each of 4'),
        (STATES[:2], [1, -1], 'expected a finite weight >= 0'),
        (STATES[:2], [0, 0], 'not all 0'),
        *(
            (STATES[:2], [1, bad], r'got \[1, (nan|inf)\]')
            for bad in NOT_FINITE
        ),
        *(
            (STATES[:2], [bad, 1], r'got \[(nan|inf), 1\]')
            for bad in NOT_FINITE
        ),
        (STATES[:2], [1e308, 1e308], 'finite'),
        ([{'a': torch.tensor([math.nan])}], None, 'mean of a is not a number'),
        ([{'a': torch.ones(1)}, {'b': torch.ones(1)}], None, 'differ in 2'),
        ([{'a': torch.ones(1)}, {'a': torch.ones(2)}], None, 'has shape'),
    ],
)
def test_what_cannot_be_averaged_is_refused(states, weights, message):
    with pytest.raises(ValueError, match=message):
        average_states(states, weights)
    with pytest.raises(ValueError, match='momentum must lie'):
        next(merge_in_order(STATES[0], STATES, 0))


@pytest.fixture
def runs(tmp_path):
    """Two checkpoint files and two training folders."""
    found = []
    for number, state in enumerate(STATES):
        folder = tmp_path / f'run{number}'
        folder.mkdir()
        torch.save({'state_dict': state}, folder / 'epoch_1.pth')
        (folder / 'last_checkpoint').write_text(f'{folder}/epoch_1.pth')
        found.append(folder if number % 2 else folder / 'epoch_1.pth')
    return [str(run) for run in found]


def test_runs_are_averaged_into_a_checkpoint(runs, tmp_path):
    average_runs(runs, tmp_path / 'mean.pth')
    expected = average_states(STATES)
    check(read_weights(tmp_path / 'mean.pth'), lambda name: expected[name])


def test_rounds_of_several_runs_become_checkpoints(runs, tmp_path):
    files = merge_runs(
        runs, tmp_path / 'merged', start=runs[0], momentum=0.7, per_round=2
    )
    assert [file.name for file in files] == ['round_0.pth', 'round_1.pth']
    check(
        read_weights(files[1]),
        lambda n: (
            0.09 * STATES[0][n]
            + 0.21 * (STATES[0][n] + STATES[1][n]) / 2
            + 0.7 * (STATES[2][n] + STATES[3][n]) / 2
        ),
    )
    with pytest.raises(ValueError, match='4 runs are not whole rounds of 3'):
        merge_runs(runs, tmp_path, start=runs[0], per_round=3)


def write_imbalance(run, imbalance, name='config.json'):
    """Write the config of a run on a subset beside its checkpoint."""
    subset = dict(type='ltvl_mm.ImbalanceSubset', imbalance=imbalance)
    loader = dict(dataset=dict(type='Other', dataset=subset))
    folder = Path(run) if Path(run).is_dir() else Path(run).parent
    text = json.dumps(dict(train_dataloader=loader))
    if name != 'config.json':
        text = f'train_dataloader = {loader!r}\n'
    (folder / name).write_text(text)


@pytest.mark.parametrize(
    ('imbalances', 'message'),
    [
        ((1, 4, 1, 4), r'round 0 mixes runs .*run1 \(imbalance 4\)'),
        ((4, 4, 1, 1), 'falls in round 1, from 4 to 1'),
        ((None, None, 8, 8), 'falls in round 1, from unlimited to 8'),
    ],
)
def test_rounds_in_a_wrong_order_are_refused(
    runs, tmp_path, imbalances, message
):
    for run, imbalance in zip(runs, imbalances, strict=True):
        write_imbalance(run, imbalance)
    with pytest.raises(ValueError, match=message) as error:
        merge_runs(runs, tmp_path / 'out', start=runs[0], per_round=2)
    pairs = list(zip(runs, imbalances, strict=True))
    first = [run for run, imbalance in pairs if imbalance in (1, 8)]
    rest = [run for run in runs if run not in first]
    assert str(error.value).endswith(f'give {" ".join(first + rest)}')
    assert not (tmp_path / 'out').exists()


def test_the_order_is_read_from_dumped_configs_and_may_be_unknown(
    runs, tmp_path
):
    assert find_imbalance(runs[0]) is None
    write_imbalance(runs[0], 4, 'soup.py')
    assert find_imbalance(runs[0]) == 4
    check_rounds(runs, 2)
    write_imbalance(runs[3], 2)
    with pytest.raises(ValueError, match='falls in round 1') as error:
        check_rounds(runs, 2)
    assert 'run2/epoch_1.pth (imbalance unknown)' in str(error.value)
    assert 'give' not in str(error.value)


def test_rounds_of_the_same_imbalance_are_warned_about(runs, monkeypatch):
    said = []
    monkeypatch.setattr(
        soup_rounds, 'print_log', lambda text, *_, **__: said.append(text)
    )
    for run, imbalance in zip(runs, (1, 1, 2, 2), strict=True):
        write_imbalance(run, imbalance)
    check_rounds(runs, 2)
    assert said == []
    check_rounds(runs, 1)
    assert [text[:29] for text in said] == [
        'round 1 has imbalance 1, as t',
        'round 3 has imbalance 2, as t',
    ]
    assert said[0].endswith('--per-round 2')


def test_names_of_checkpoints_and_folders_are_checked(runs, tmp_path):
    with pytest.raises(ValueError, match=r'mean does not end in \.pth'):
        average_runs(runs, tmp_path / 'mean')
    with pytest.raises(ValueError, match='is named as a checkpoint'):
        merge_runs(runs, tmp_path / 'soup.pth', start=runs[0])


def test_rounds_may_start_at_the_initial_weights_of_a_config(tmp_path):
    cfg = Config(
        dict(
            model=dict(
                type='ImageClassifier',
                backbone=dict(type='ltvl_mm.IdentityBackbone', dim=4),
                head=dict(
                    type='LinearClsHead',
                    num_classes=3,
                    in_channels=4,
                    init_cfg=dict(type='Constant', layer='Linear', val=2),
                ),
            )
        )
    )
    cfg.dump(tmp_path / 'config.py')
    run = {
        'head.fc.weight': torch.zeros(3, 4),
        'head.fc.bias': torch.ones(3),
    }
    torch.save(run, tmp_path / 'run.pth')
    (file,) = merge_runs(
        [tmp_path / 'run.pth'], tmp_path, start=tmp_path / 'config.py'
    )
    found = read_weights(file)
    assert found['head.fc.weight'].tolist() == [[pytest.approx(0.6)] * 4] * 3
    assert found['head.fc.bias'].tolist() == [pytest.approx(0.7)] * 3


def test_a_training_begins_at_the_average(runs):
    model = make_model(9)
    runner = SimpleNamespace(model=model, iter=0)
    hook = AverageRunsHook(runs=runs)
    hook.before_train(runner)
    expected = average_states(STATES)
    check(model.state_dict(), lambda name: expected[name])
    resumed = SimpleNamespace(model=make_model(9), iter=5)
    hook.before_train(resumed)
    own = make_model(9).state_dict()
    check(resumed.model.state_dict(), lambda name: own[name])


def test_runs_of_another_model_are_refused(runs):
    with pytest.raises(ValueError, match='needs runs to average'):
        AverageRunsHook(runs=[])
    runner = SimpleNamespace(model=nn.Linear(3, 2), iter=0)
    with pytest.raises(ValueError, match='does not fit the model'):
        AverageRunsHook(runs=runs).before_train(runner)
