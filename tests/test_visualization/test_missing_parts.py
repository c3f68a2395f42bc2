from pathlib import Path

import numpy as np

from ltvl_mm.visualization.report.missing_parts import list_missing
from ltvl_mm.visualization.report.run_folder import RunFolder
from ltvl_mm.visualization.report.study import Study


def make_study(*names, part='features'):
    runs = tuple(
        RunFolder(
            name,
            Path(f'runs/{name}'),
            missing={part: f'runs/{name}/x.npz does not exist'},
        )
        for name in names
    )
    return Study(runs, names[0], np.array([1]), ('cat',))


def test_a_part_of_several_runs_is_listed_once_with_one_command():
    study = make_study('a', 'b c')
    (one,) = list_missing(study, {'features': 'no run has features'}, {})
    assert (one.part, one.owners) == ('features', ['a', 'b c'])
    assert one.reason == 'RUN/x.npz does not exist'
    assert one.hides == ['features']
    assert one.command == (
        "for run in runs/a \\\n        'runs/b c'; do\n"
        '    python tools/analysis_tools/save_features.py "$run"/*.py "$run" '
        '--split test -o "$run"/features_test.npz\ndone'
    )


def test_the_command_for_one_run_names_its_folder():
    (one,) = list_missing(make_study('a', part='predictions'), {}, {})
    assert one.command == (
        'python tools/test.py runs/a/*.py runs/a --out runs/a/metrics.json '
        '--out-item metrics --predictions runs/a/test.npz'
    )


def test_folder_names_from_other_people_are_quoted():
    (one,) = list_missing(make_study("a'; rm -r $HOME; '"), {}, {})
    assert "'runs/a'\"'\"'; rm -r $HOME; '\"'\"''/*.py" in one.command


def test_parts_of_the_page_with_one_reason_are_listed_together():
    page = {'arrows': 'no counts', 'frequency': 'no counts', 'gallery': 'none'}
    retrieval = {'quality': '/x/web/quality.json does not exist'}
    found = list_missing(
        make_study('a'),
        page,
        retrieval,
        retrieved='/x/web',
        show_path=lambda path: path.replace('/x/', ''),
    )
    assert [(one.part, one.owners) for one in found] == [
        ('arrows, frequency', ['the page']),
        ('gallery', ['the page']),
        ('quality', ['the retrieval']),
        ('features', ['a']),
    ]
    assert found[2].command.startswith(
        'python tools/analysis_tools/check_retrieval.py web --store'
    )
