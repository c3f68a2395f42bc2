import os
from pathlib import Path

import numpy as np
import pytest
from study_folder import COUNTS, NAMES, write_study

from ltvl_mm.utils.io import write_json
from ltvl_mm.visualization.report.run_reader import read_run
from ltvl_mm.visualization.report.run_search import find_runs


@pytest.fixture
def folder(tmp_path):
    return write_study(tmp_path)


def test_all_that_a_run_left_is_read(folder):
    run = read_run(folder / 'seed0/tackle', 'TACKLE')
    assert not run.missing
    assert (run.label, run.seed) == ('TACKLE, seed 0', 0)
    assert run.counts.tolist() == list(COUNTS)
    assert run.manifest == folder / 'retrieved/manifest.parquet'
    assert run.answers.class_names == NAMES
    assert run.answers.right.sum() == 16
    np.testing.assert_allclose(run.answers.confidence, 0.7)
    assert run.curves['loss'].tolist() == [[50, 3], [99, 1]]
    assert run.curves['shot/all'].tolist() == [[2, 20.5]]
    assert run.commands[0]['commit'] == '0123456789ab'
    assert 'ShotAccuracy' in run.config


def test_runs_are_found_at_any_depth_and_once(folder):
    # Where the test of a run has a folder of its own in it.
    inner = folder / 'seed0/plain/test/20260101_000001/vis_data'
    inner.mkdir(parents=True)
    (inner / 'scalars.json').touch()
    write_json(folder / 'zero_shot/metrics.json', {'shot/all': 50.0})
    found = [path.relative_to(folder).as_posix() for path in find_runs(folder)]
    assert found == ['seed0/plain', 'seed0/tackle', 'zero_shot']
    assert list(find_runs(folder / 'seed0/plain')) == [folder / 'seed0/plain']
    with pytest.raises(ValueError, match='gone does not exist'):
        list(find_runs(folder / 'gone'))


def test_a_resumed_training_has_one_curve_and_the_last_start_wins(folder):
    later = folder / 'seed0/plain/20260102_000000/vis_data/scalars.json'
    later.parent.mkdir(parents=True)
    later.write_text('{"loss": 2.0, "step": 99}\n{"loss": 0.5, "step": 150}\n')
    run = read_run(folder / 'seed0/plain', 'plain')
    assert run.curves['loss'].tolist() == [[50, 3], [99, 2], [150, 0.5]]


@pytest.mark.parametrize(
    ('damage', 'part'),
    [
        (
            lambda run: (run / 'test.npz').write_bytes(b'PK half'),
            'predictions',
        ),
        (lambda run: (run / 'plain.py').write_text('x = dict('), 'config'),
        (lambda run: (run / 'plain.py').unlink(), 'class counts'),
        (lambda run: (run / 'commands.jsonl').unlink(), 'commands'),
        (lambda run: (run / 'features_test.npz').unlink(), 'features'),
        (lambda run: (run / 'metrics.json').write_text('{"sh'), 'metrics'),
        (lambda run: (run / 'metrics.json').write_text('[]'), 'metrics'),
        (
            lambda run: next(run.glob('*/vis_data/scalars.json')).unlink(),
            'curves',
        ),
    ],
)
def test_a_part_that_is_missing_or_broken_is_named_and_the_rest_read(
    folder, damage, part
):
    path = folder / 'seed0/plain'
    damage(path)
    run = read_run(path, 'plain')
    assert part in run.missing
    assert run.answers is not None or run.counts is not None
    assert run.curves or part == 'curves'


def test_half_a_line_of_a_curve_costs_that_line(folder):
    file = next((folder / 'seed0/plain').glob('*/vis_data/scalars.json'))
    with open(file, 'a') as lines:
        lines.write('{"loss": 0.')
    run = read_run(folder / 'seed0/plain', 'plain')
    assert len(run.curves['loss']) == 2
    assert '1 broken lines' in run.missing['curves']


def test_a_folder_that_was_moved_is_read_beside_what_moved_with_it(tmp_path):
    folder = write_study(tmp_path / 'there')
    config = folder / 'seed0/tackle/tackle.py'
    text = config.read_text() + f'work_dir = {str(config.parent)!r}\n'
    config.write_text(text)
    (tmp_path / 'there').rename(tmp_path / 'here')
    run = read_run(tmp_path / 'here/seed0/tackle', 'tackle')
    assert not run.missing
    assert run.counts.tolist() == list(COUNTS)
    assert run.retrieved.tolist() == [1, 2, 3, 4]


def test_counts_that_are_given_replace_the_configs(folder, tmp_path):
    (folder / 'seed0/plain/plain.py').unlink()
    write_json(tmp_path / 'other.json', [1, 2, 3, 4])
    run = read_run(folder / 'seed0/plain', 'x', counts=tmp_path / 'other.json')
    assert run.counts.tolist() == [1, 2, 3, 4]


def test_accuracies_of_another_number_of_classes_are_named(folder):
    run = folder / 'seed0/plain'
    (run / 'test.npz').unlink()
    write_json(
        run / 'metrics.json', {'shot/all': 50.0, 'shot/per_class': [5, None]}
    )
    found = read_run(run, 'x')
    assert found.metrics == {'shot/all': 50.0}
    assert 'is of 2 classes, but the run has 4' in found.missing['metrics']


def test_a_manifest_of_other_classes_than_the_training_list_is_named(folder):
    run = folder / 'seed0/tackle'
    (run / 'test.npz').unlink()
    config = (run / 'tackle.py').read_text()
    write_json(folder / 'two.json', [1, 2])
    config = config.replace('classes=4', 'classes=2')
    (run / 'tackle.py').write_text(config.replace('train.txt', 'two.json'))
    found = read_run(run, 'x')
    assert found.counts.tolist() == [1, 2]
    assert found.retrieved is None
    assert (
        'of 4 classes, but the training list has 2'
        in (found.missing['retrieved images'])
    )


def test_deep_folders_are_searched_and_what_cannot_be_is_named(tmp_path):
    deep = tmp_path
    for _ in range(1200):  # more than Python recurses
        deep = deep / 'd'
        os.mkdir(deep)
    (deep / 'test.npz').touch()
    too_long, name = tmp_path / 'long', 'n' * 250
    too_long.mkdir()
    before = os.getcwd()
    try:
        os.chdir(too_long)
        for _ in range(18):  # 4,500 characters, more than a path may have
            os.mkdir(name)
            os.chdir(name)
        os.mkdir('seed0')
    finally:
        os.chdir(before)
    try:
        found = list(find_runs(tmp_path))
        assert found[0] == deep
        assert len(found) == 2
        broken = read_run(found[1], 'broken')
        assert broken.missing == {
            'all parts': 'the folder cannot be read: File name too long'
        }
    finally:  # pytest removes folders by recursion, which would fail
        while deep != tmp_path:
            (deep / 'test.npz').unlink(missing_ok=True)
            deep.rmdir()
            deep = deep.parent


def test_a_folder_without_permission_is_named(folder, monkeypatch):
    closed = folder / 'seed0/plain'
    scandir = os.scandir

    def refuse(path):
        if Path(path) == closed:
            raise PermissionError(13, 'Permission denied', str(path))
        return scandir(path)

    monkeypatch.setattr(os, 'scandir', refuse)
    found = list(find_runs(folder))
    assert found == [closed, folder / 'seed0/tackle']
    assert read_run(closed, 'x').missing == {
        'all parts': 'the folder cannot be read: Permission denied'
    }
