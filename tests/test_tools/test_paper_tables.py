"""The paper's tables as plans, and their rows beside ours."""

import json
import re
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


def test_a_dry_run_says_source_numbers_and_deviations(run_here):
    log = run_here(
        *('python', 'tools/reproduce.py', '--table', '1', '--dry-run'),
        *('--row', 'RIDE'),
    )
    assert 'row 1.14 RIDE, RX50: 56.8 % overall in the paper' in log
    assert 'configs: configs/ride/ride6-official_rx50_8xb32-100e' in log
    assert 'then   configs/ride/ride4-from6-official_rx50_8xb32' in log
    assert 'config_imagenet_lt_resnext50_distill_ride.json' in log
    assert '  Differs: the checkpoint is chosen on val' in log
    assert '  Expect:  56.8 overall' in log
    log = run_here(
        *('python', 'tools/reproduce.py', '--table', '1', '--dry-run'),
        *('--row', '10'),
    )
    # Not what the header says of the plain student.
    assert 'Source:  Kang et al. 2020' in log
    assert 'Expect:' not in log


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


def test_files_to_bring_are_named_before_anything_starts(run_here, tmp_path):
    said = run_here(
        *('python', 'tools/reproduce.py', '--table', 6),
        *('--work-dir', tmp_path / 'work'),
        status=1,
    )
    lists, web = said.split('missing, needed by rows 3, 4:')
    assert 'missing, needed by rows 1 to 4:\n  data/imagenet/Image' in lists
    assert 'dataset_converters/imagenet_lt.py data/imagenet --lists' in lists
    assert '  data/retrieved/imagenet_lt/manifest.parquet\n' in web
    assert (
        'tools/retrieve.py stores/web -o data/retrieved/imagenet_lt '
        '--class-names data/imagenet/class_names.txt --budget 300 --exclude '
        'stores/imagenet_lt_held_out\n'
    ) in web
    assert 'nothing was started' in said
    assert not (tmp_path / 'work').exists()


def test_costs_follow_from_images_and_multiply_adds():
    from costs import RATE, estimate_cost

    deit = estimate_cost(find_leaf('cross_entropy_deit-s'))
    # 4.6 billion multiply-adds and 22.1 million numbers, as published.
    hours = 3 * 4.6e9 * 300 * 115_846 / RATE / 3600
    assert deit.gpu_hours == pytest.approx(hours, rel=0.1)
    # Weights and AdamW's two moments, of three checkpoints.
    assert deit.disk == pytest.approx(3 * 3 * 4 * 22.1e6, rel=0.03)
    assert deit.downloads == {}
    assert deit.data == ('data/imagenet',)
    a = estimate_cost(find_leaf('ballad-a_rn50'))
    (name,) = a.downloads
    assert name == 'RN50-quickgelu openai (open_clip)'
    assert a.downloads[name] == pytest.approx(244e6, rel=0.1)  # the file
    b = estimate_cost(find_leaf('ballad-b_rn50'))
    assert b.downloads == {}  # the weights of phase A
    assert b.gpu_hours < a.gpu_hours / 5


def test_a_dry_run_says_what_is_missing_first_and_what_it_costs(run_here):
    tool = 'python', 'tools/reproduce.py', '--table', 6, '--dry-run'
    one = run_here(*tool, '--row', 1, 3)
    assert one.startswith('missing, needed by rows 1, 3:\n')
    eight = run_here(*tool, '--row', 1, 3, '--gpus', 8)
    hours = []
    for said, gpus in ((one, 1), (eight, 8)):
        found = re.search(r'so ([\d.]+) hours on (\d) GPUs?', said)
        assert int(found[2]) == gpus
        hours.append(float(found[1]))
    assert hours[0] / hours[1] == pytest.approx(8, rel=0.02)
    assert 'ViT-B-16-quickgelu openai (open_clip), to retrieve: about' in one
    deit = find_leaf('cross_entropy_deit-s').relative_to(ROOT)
    assert f'    python tools/train.py {deit} --work-dir' in one
    assert f'    bash tools/dist_train.sh {deit} 8 --work' in eight


def test_lists_that_share_an_image_are_named(tmp_path, monkeypatch):
    import prerequisites
    from rows import Row

    monkeypatch.setattr(prerequisites, 'ROOT', tmp_path)
    (tmp_path / 'data').mkdir()
    config = tmp_path / 'config.py'
    config.write_text(
        ''.join(
            f'{split}_dataloader = dict(dataset=dict(type="CustomDataset", '
            f'data_root="data", ann_file="{name}.txt"))\n'
            # Papers on iNaturalist test on val: that is not a leak.
            for split, name in [('train', 't'), ('val', 'v'), ('test', 'v')]
        )
    )
    rows = [Row(1, n, 'm', 'b', NO_PAPER, 'student', (config,)) for n in 'ab']
    assert prerequisites.find_leaks(rows) == []  # no lists yet
    (tmp_path / 'data/t.txt').write_text('a.jpg 0\nb.jpg 1\n')
    (tmp_path / 'data/v.txt').write_text('c.jpg 0\n')
    assert prerequisites.find_leaks(rows) == []
    (tmp_path / 'data/v.txt').write_text('c.jpg 0\nb.jpg 1\n')
    (leak,) = prerequisites.find_leaks(rows)
    assert leak.startswith('1 images in two splits: ')
    assert 't.txt, line 2' in leak
    assert 'v.txt, line 2' in leak


def test_a_dry_run_lists_the_stages(run_here, tmp_path):
    said = run_here(
        *('python', 'tools/reproduce.py', '--table', 1),
        *('--row', 'tau-normalized, RX50', 'TACKLE'),
        *('--seeds', 0, 1, '--dry-run', '--work-dir', tmp_path / 'work'),
    )
    for name in (f'tau-normalize {STUDENT}', 'train tackle_rx50'):
        # Hours and disk follow where they are known.
        line = rf'  {name}: to run for seeds 0, 1(, .+)?\n    python '
        assert re.search(line, said)
    assert not (tmp_path / 'work').exists()


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
