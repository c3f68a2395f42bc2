import json
import shutil
import sys

import pytest
from study_folder import NAMES, write_study


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp('study'), seeds=(0, 1))


def test_a_page_is_written_of_a_folder_of_runs(run_tool, folder, tmp_path):
    truth = tmp_path / 'truth.csv'
    truth.write_text(f'key,class_name,more\nk0,{NAMES[0]},\nk1,{NAMES[0]},\n')
    out = run_tool(
        sys.executable,
        'tools/report.py',
        folder,
        *('-o', tmp_path / 'report.html', '--truth', truth),
        *('--baseline', 'plain', '--title', 'Cats & dogs'),
    )
    assert 'missing' not in out
    page = (tmp_path / 'report.html').read_text()
    assert '<h1>Cats &amp; dogs</h1>' in page
    results = page[page.index('<section id="results">') :]
    results = results[: results.index('</section>')]
    assert results.count('<td>2</td>') == 2  # seeds of two methods
    assert 'plain <span class="quiet">(baseline)' in results


def test_runs_get_names_and_what_is_gone_is_said(run_tool, folder, tmp_path):
    shutil.copytree(folder / 'seed0/plain', tmp_path / 'run')
    (tmp_path / 'run/plain.py').unlink()
    out = run_tool(
        sys.executable,
        'tools/report.py',
        f'ResNeXt={tmp_path}/run',
        *('-o', tmp_path / 'report.html'),
        *('--class-counts', folder / 'train.json'),
    )
    assert f'missing of ResNeXt ({tmp_path}/run): config' in out
    assert 'arrows, precision' in out
    assert '"row">ResNeXt' in (tmp_path / 'report.html').read_text()


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['gone'], 'the folder gone does not exist'),
        (['configs'], 'none of the folders holds a training or a test'),
        (['{folder}', '--baseline=x'], "baseline must be one of ['plain'"),
        (['{folder}', '--truth={folder}/train.json'], 'key and class_name'),
        (['{folder}', '--manifest=x'], 'the manifest x does not exist'),
    ],
)
def test_what_cannot_be_is_one_sentence(
    run_tool, folder, tmp_path, words, message
):
    words = [word.format(folder=folder) for word in words]
    out = run_tool(
        sys.executable,
        'tools/report.py',
        *words,
        *('-o', tmp_path / 'x.html'),
        status=1,
    )
    assert message in out.splitlines()[-1]


def test_training_and_test_write_down_their_command(run_tool, tmp_path):
    run_tool(
        sys.executable,
        'tools/train.py',
        'configs/toy/rx.py',
        *('--work-dir', tmp_path, '--no-validate', '--cfg-options'),
        *('train_cfg.max_epochs=1', 'train_dataloader.sampler.epoch_size=64'),
        *('param_scheduler=None',),
    )
    run_tool(
        sys.executable,
        'tools/test.py',
        'configs/toy/rx.py',
        *(tmp_path, '--work-dir', tmp_path / 'test'),
        *('--out', tmp_path / 'metrics.json', '--out-item', 'metrics'),
        *('--predictions', tmp_path / 'test.npz'),
    )
    for folder, tool in ((tmp_path, 'train'), (tmp_path / 'test', 'test')):
        (line,) = (folder / 'commands.jsonl').read_text().splitlines()
        entry = json.loads(line)
        assert entry['command'].startswith(f'python tools/{tool}.py configs')
        assert 'LTVL_TOY_ROOT' in entry['environment']
    out = run_tool(
        sys.executable,
        'tools/report.py',
        f'toy={tmp_path}',
        *('-o', tmp_path / 'report.html'),
    )
    # Class names come with the predictions.
    assert 'red circle' in (tmp_path / 'report.html').read_text()
    assert 'missing of toy' in out  # features
