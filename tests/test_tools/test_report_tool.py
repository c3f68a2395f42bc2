import json
import os
import shutil

import pytest
from study_folder import NAMES, write_study

from ltvl_mm.datasets.emoji_concepts import CLASS_NAMES


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp('study'), seeds=(0, 1))


def test_a_page_is_written_of_a_folder_of_runs(run_here, folder, tmp_path):
    truth = tmp_path / 'truth.csv'
    truth.write_text(f'key,class_name,more\nk0,{NAMES[0]},\nk1,{NAMES[0]},\n')
    out = run_here(
        'python',
        'tools/report.py',
        folder,
        *('-o', tmp_path / 'report.html', '--truth', truth),
        *('--baseline', 'plain', '--title', 'Cats & dogs'),
        *('--train-images', folder),
    )
    assert 'missing' not in out
    assert '\nIt is not clear that 10 retrieved images change' in out
    page = (tmp_path / 'report.html').read_text()
    assert '<h1>Cats &amp; dogs</h1>' in page
    results = page[page.index('<section id="results">') :]
    results = results[: results.index('</section>')]
    assert (
        results.count('data-label="seeds">2</td>') == 2
    )  # seeds of two methods
    assert '<bdi>plain</bdi> <span class="quiet">(baseline)' in results


def test_runs_get_names_and_what_is_gone_is_said(run_here, folder, tmp_path):
    shutil.copytree(folder / 'seed0/plain', tmp_path / 'run')
    (tmp_path / 'run/plain.py').unlink()
    out = run_here(
        'python',
        'tools/report.py',
        f'ResNeXt={tmp_path}/run',
        *('-o', tmp_path / 'report.html'),
        *('--class-counts', folder / 'train.txt'),
    )
    assert f'missing of ResNeXt ({tmp_path}/run): config' in out
    assert 'probabilities, precision, arrows' in out
    assert '"row"><bdi>ResNeXt' in (tmp_path / 'report.html').read_text()


def test_folders_of_seeds_get_the_name_of_the_method(
    run_here, folder, tmp_path
):
    for method in ('plain', 'tackle'):
        for seed in (0, 1):
            shutil.copytree(
                folder / f'seed{seed}/{method}',
                tmp_path / f'{method}/seed{seed}',
            )
    # A run that is named twice is not a second seed; a link is followed.
    (tmp_path / 'link=1').symlink_to(tmp_path / 'tackle')
    (tmp_path / 'crashed').mkdir()
    out = run_here(
        'python',
        'tools/report.py',
        tmp_path / 'plain',
        tmp_path / 'plain/seed0',
        f'tackle={tmp_path}/link=1',
        tmp_path / 'tackle',
        tmp_path / 'crashed',
        *('-o', tmp_path / 'report.html'),
    )
    table = [line for line in out.splitlines() if line.startswith('| ')]
    assert [line.split(' | ')[0] for line in table[2:]] == [
        '| plain',
        '| tackle',
    ]
    assert '| tackle | 83.3 ± 0.0' in table[3]
    assert f'missing of crashed ({tmp_path}/crashed): commands' in out
    page = (tmp_path / 'report.html').read_text()
    assert page.count('data-label="seeds">2</td>') == 2  # seeds


def test_a_manifest_that_moved_costs_what_needs_it(run_here, folder, tmp_path):
    shutil.copytree(folder / 'seed0', tmp_path / 'seed0')
    config = tmp_path / 'seed0/tackle/tackle.py'
    config.write_text(config.read_text().replace('retrieved/', 'elsewhere/'))
    command = ['python', 'tools/report.py', tmp_path / 'seed0']
    out = run_here(*command, '-o', tmp_path / 'x.html')
    assert (
        'missing of the page: probabilities, precision, arrows, gallery' in out
    )
    assert 'missing of tackle, seed 0' in out
    assert 'elsewhere/manifest.parquet does not exist' in (
        (tmp_path / 'x.html').read_text()
    )
    moved = folder / 'retrieved/manifest.parquet'
    out = run_here(*command, '-o', tmp_path / 'x.html', '--manifest', moved)
    assert 'missing of the page: precision' in out
    assert 'missing of tackle' not in out


def test_names_that_are_not_utf8_and_runs_left_out_are_printed(
    run_here, folder, tmp_path
):
    odd = os.fsdecode(bytes(tmp_path) + b'/caf\xe9')
    try:
        shutil.copytree(folder / 'seed0/plain', odd)
    except OSError:
        pytest.skip('the file system takes UTF-8 names only')
    shutil.copytree(folder / 'seed0/plain', tmp_path / 'foreign')
    (tmp_path / 'foreign/test.npz').unlink()
    config = tmp_path / 'foreign/plain.py'
    (tmp_path / 'two.json').write_text('[5, 6]')
    text = config.read_text().replace('num_classes=4', 'num_classes=2')
    text = text.replace(str(folder / 'train.txt'), str(tmp_path / 'two.json'))
    config.write_text(text)
    out = run_here(
        'python',
        'tools/report.py',
        *(odd, tmp_path / 'foreign', '-o', tmp_path / 'x.html'),
    )
    assert '| caf\\udce9 |' in out
    assert f'foreign, seed 0 ({tmp_path}/foreign) is left out: it has' in out
    assert (tmp_path / 'x.html').is_file()


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['gone'], 'the folder gone does not exist'),
        (['configs'], 'none of the folders holds a training or a test'),
        (['{folder}', '--baseline=x'], "baseline must be one of ['plain'"),
        (['{folder}', '--truth={folder}/train.txt'], 'key and class_name'),
        (['{folder}', '--manifest=x'], 'the manifest x does not exist'),
        (['{folder}', '--truth=x.csv'], "No such file or directory: 'x.csv'"),
        (['{folder}', '--class-counts=x.txt'], 'x.txt'),
        (
            ['{folder}/seed0/plain', 'plain={folder}/seed0/tackle'],
            'are both plain, seed 0; tell them apart with NAME=FOLDER',
        ),
        (['{folder}', '--train-images=x'], 'names no image below x, such as'),
        (['{folder}', '-o', '{folder}'], '-o must be a file, got the folder'),
    ],
)
def test_what_cannot_be_is_one_sentence(
    run_here, folder, tmp_path, words, message
):
    words = [word.format(folder=folder) for word in words]
    out = run_here(
        'python',
        'tools/report.py',
        *('-o', tmp_path / 'x.html'),
        *words,
        status=1,
    )
    assert message in out.splitlines()[-1]


def test_training_and_test_write_down_their_command(
    run_here, tmp_path, monkeypatch
):
    monkeypatch.setenv('LTVL_PYTHON', 'python')
    run_here(
        'python',
        'tools/train.py',
        'configs/toy/cross_entropy/cross_entropy_r18.py',
        *('--work-dir', tmp_path, '--no-validate', '--cfg-options'),
        *('train_cfg.max_epochs=1', 'train_dataloader.sampler.epoch_size=64'),
        *('param_scheduler=None',),
    )
    run_here(
        'python',
        'tools/test.py',
        'configs/toy/cross_entropy/cross_entropy_r18.py',
        *(tmp_path, '--work-dir', tmp_path / 'test'),
        *('--out', tmp_path / 'metrics.json', '--out-item', 'metrics'),
        *('--predictions', tmp_path / 'test.npz'),
    )
    for folder, tool in ((tmp_path, 'train'), (tmp_path / 'test', 'test')):
        (line,) = (folder / 'commands.jsonl').read_text().splitlines()
        entry = json.loads(line)
        assert entry['command'].startswith(f'python tools/{tool}.py configs')
        assert 'LTVL_PYTHON' in entry['environment']
    out = run_here(
        'python',
        'tools/report.py',
        f'toy={tmp_path}',
        *('-o', tmp_path / 'report.html'),
    )
    # Class names come with the predictions.
    assert CLASS_NAMES[0] in (tmp_path / 'report.html').read_text()
    assert 'missing of toy' in out  # features
