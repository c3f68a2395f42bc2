"""Dry runs of the paper's tables: commands, costs and missing files."""

import re
from pathlib import Path

import pytest
from leaves import find_leaf
from tools_in_process import fresh_modules

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / 'projects/paper_tables'
STUDENT = find_leaf('cross_entropy_rx50').stem
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
