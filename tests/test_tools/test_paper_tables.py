"""The paper's tables as plans, and their rows beside ours."""

import json
from pathlib import Path

import pytest
import yaml
from leaves import find_leaf
from tools_in_process import fresh_modules

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / 'projects/paper_tables'
STUDENT = find_leaf('cross_entropy_rx50').stem
RX50 = f'cross_entropy/{STUDENT}'
NO_PAPER = {'many': 1.0, 'all': 50.0}


@pytest.fixture(autouse=True, scope='module')
def project():
    """Import path as ``tools/reproduce.py`` sets it."""
    with fresh_modules(PROJECT):
        yield


@pytest.fixture(autouse=True)
def folder(monkeypatch):
    """Working folder of the commands that the documents name."""
    monkeypatch.chdir(ROOT)


@pytest.fixture
def write_tables(tmp_path):
    def write(**row):
        entry = {'method': 'm', 'backbone': 'b', 'paper': NO_PAPER} | row
        path = tmp_path / 'tables.yml'
        path.write_text(yaml.safe_dump({1: {'title': 't', 'rows': [entry]}}))
        return path

    return write


@pytest.mark.parametrize('table', range(1, 8))
def test_rows_name_configs_of_this_project(table):
    from rows import load_rows

    entries = yaml.safe_load((PROJECT / 'tables.yml').read_text())
    _, rows = load_rows(table)
    named = ['configs' in entry for entry in entries[table]['rows']]
    # A name with a slip in it would make a row that is not here.
    assert [row.is_here for row in rows] == named
    assert len({row.name for row in rows}) == len(rows)


@pytest.mark.parametrize(
    'odd',
    [
        {'config': [RX50]},
        {'paper': {'tail': 3.0}},
        {'recipe': 'distil', 'configs': [RX50]},
        {'recipe': 'student', 'configs': [RX50, RX50]},
        {'configs': [RX50]},
    ],
)
def test_an_odd_row_is_named(odd, write_tables):
    from rows import load_rows

    with pytest.raises(ValueError, match=r'row 1 of table 1 is odd'):
        load_rows(1, path=write_tables(**odd))


def test_no_such_table():
    from rows import load_rows

    with pytest.raises(ValueError, match=r'one of \[1, 2, .*\], got 8'):
        load_rows(8)


def test_rows_are_chosen_by_number_or_words():
    from rows import load_rows, select_rows

    rows = load_rows(6)[1]
    assert select_rows(rows, []) == rows
    assert select_rows(rows, ['4', 'deit-s']) == [rows[3], rows[0], rows[2]]
    with pytest.raises(ValueError, match=r"'swin' fits none of: 1 without"):
        select_rows(rows, ['swin'])


def test_rows_share_what_both_need(tmp_path):
    from plan import plan_rows
    from rows import load_rows

    rows = load_rows(5)[1] + load_rows(7)[1]
    names = [stage.name for stage in plan_rows(rows, tmp_path, 0, gpus=1)]
    assert len(set(names)) == len(names)
    deit = find_leaf('tackle_deit-s').stem
    clip = find_leaf('clip_zero_shot_rn50').stem
    order = [f'train {deit}', f'test {deit}', f'mix {deit}+{clip}']
    places = [names.index(name) for name in order]
    assert places == sorted(places)


def test_every_row_of_the_tables_has_source_and_deviations():
    from headers import describe_row, read_header
    from rows import load_rows

    for table in range(1, 8):
        for row in load_rows(table)[1]:
            for config in row.configs:
                header = read_header(config)
                assert header['Source']
                assert header['Differs']
            assert {'Source', 'Differs'} <= describe_row(
                row.recipe, row.configs[-1]
            ).keys()


def test_phase_b_starts_from_phase_a_of_the_same_seed(tmp_path):
    from plan import list_stages
    from rows import load_rows, select_rows

    (row,) = select_rows(load_rows(5)[1], ['decoupled'])
    a, b, test = list_stages(row, tmp_path, 3, gpus=8)
    assert a.command[:4] == (
        'bash',
        'tools/dist_train.sh',
        str(find_leaf('ballad-a_rn50')),
        '8',
    )
    folder = tmp_path / find_leaf('ballad-a_rn50').stem  # its best checkpoint
    assert f'model.backbone.pretrained={folder}' in b.command
    assert 'randomness.seed=3' in b.command
    assert str(tmp_path / find_leaf('ballad-b_rn50').stem) in test.command


def test_second_stages_start_from_the_first_of_the_same_seed(tmp_path):
    from plan import list_stages
    from rows import load_rows

    rows = {row.name: row for row in load_rows(1)[1]}
    one, two, _ = list_stages(rows['LWS, RX50'], tmp_path, 3, gpus=1)
    assert one.name == f'train {STUDENT}'
    assert f'model.stage_1={tmp_path / STUDENT}' in two.command
    row = rows['tau-normalized, RX50']
    stages = list_stages(row, tmp_path, 3, gpus=1)
    assert [stage.name for stage in stages] == [
        f'train {STUDENT}',
        *(f'features of {s} from {STUDENT}' for s in ('train', 'val', 'test')),
        f'tau-normalize {STUDENT}',
    ]
    assert row.folder == f'{STUDENT}/classifiers/tau-normalized'


def test_a_student_learns_from_the_teacher_of_the_same_seed(tmp_path):
    from plan import list_stages
    from rows import load_rows, select_rows

    (row,) = select_rows(load_rows(3)[1], ['ride (4'])
    one, two, test = list_stages(row, tmp_path, 3, gpus=1)
    teacher = find_leaf('ride6-official_r50', 'inat18').stem
    assert one.name == f'train {teacher}'
    assert f'model.teacher_checkpoint={tmp_path / teacher}' in two.command
    student = find_leaf('ride4-from6-official_r50', 'inat18').stem
    assert two.name == f'train {student}'
    assert str(tmp_path / student) in test.command


def test_tau_is_chosen_without_val_where_there_is_none(tmp_path):
    from plan import list_stages
    from rows import load_rows, select_rows

    for table, has_val in ((1, True), (3, False)):
        row, *_ = select_rows(load_rows(table)[1], ['tau'])
        *_, tune = list_stages(row, tmp_path, 3, gpus=1)
        words = ' '.join(tune.command)
        assert ('--val=' in words) == has_val
        assert '--train=' in words
    assert 'iNaturalist18_train.txt' in words


def test_a_table_sets_ours_beside_the_paper(tmp_path):
    from rows import load_rows
    from summary import collect_row, write_table

    row = load_rows(6)[1][0]
    for seed, value in enumerate((30.0, 32.0)):
        folder = tmp_path / f'seed{seed}' / row.folder
        folder.mkdir(parents=True)
        names = ('many', 'medium', 'few', 'all')
        (folder / 'metrics.json').write_text(
            json.dumps({f'shot/{name}': value for name in names})
        )
    found = collect_row(row, tmp_path, {0: 1.0, 1: 2.0})
    absent = collect_row(load_rows(1)[1][5], tmp_path, {}) | {'why': 'no'}
    text = write_table(tmp_path, 6, 'Title', [found, absent], commit='abc')
    first, second = text.splitlines()[4:6]
    assert first.startswith(
        f'| 1 | without retrieval | DeiT-S | {row.folder} | 49.7 '
        '| 31.0 ± 1.4 |'
    )
    assert first.endswith('| +0.2 | 0, 1 | 1.50 |')
    assert second.endswith('| 51.3 |  | no |  |  |')
    assert 'commit: abc' in text
    saved = json.loads((tmp_path / 'table6.json').read_text())
    assert [seed['all'] for seed in saved['rows'][0]['seeds']] == [30.0, 32.0]


def test_the_training_list_is_found_among_several_evaluators():
    from plan import _find_counts

    config = find_leaf('ride-routed_rx50')
    found = _find_counts(config)
    assert found == 'data/imagenet/ImageNet_LT_train.txt'
