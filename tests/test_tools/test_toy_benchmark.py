"""Stages and rows of projects/toy_benchmark fit each other."""

import importlib
from pathlib import Path

import pytest
from tools_in_process import fresh_modules

PROJECTS = Path(__file__).parents[2] / 'projects'
NAMES = ('models', 'benchmark_stages', 'toy_stages')


@pytest.fixture(scope='module')
def benchmark():
    """The modules of the project, which other projects name alike."""
    with fresh_modules(PROJECTS / 'toy_benchmark'):
        yield {name: importlib.import_module(name) for name in NAMES}


def test_each_row_is_the_result_of_a_stage_that_has_what_it_needs(benchmark):
    work = Path('/work/seed3')
    students = list(benchmark['models'].STUDENTS)
    stages = benchmark['benchmark_stages'].list_stages(work, 3, students)
    known, written = set(), set()
    for stage in stages:
        assert set(stage.needs) <= known, stage.name
        assert stage.name not in known
        known.add(stage.name)
        written |= set(stage.command)
        for word in stage.command:
            if '/configs/toy/' in word:
                assert Path(word).is_file()
    for model in benchmark['models'].list_models(students):
        # An ensemble has its folder, others the file of their metrics.
        assert written & {model.folder, f'{model.folder}/metrics.json'}


def test_phase_b_starts_from_phase_a_of_its_seed(benchmark):
    stages = benchmark['benchmark_stages'].list_stages(Path('w'), 3, ['r18'])
    (stage,) = [one for one in stages if one.name == 'train ballad_b']
    assert 'train ballad_a' in stage.needs
    assert 'model.head.pretrained=work_dirs/ballad_a' in stage.command


def test_the_report_says_whom_the_pictures_are_from(benchmark):
    report = benchmark['benchmark_stages'].make_report(
        Path('w'), [0, 1], ['r18']
    )
    assert any('OpenMoji' in word for word in report.command)
    runs = [word for word in report.command if '=w/seed1/' in word]
    assert runs == [
        'CLIP zero-shot=w/seed1/work_dirs/clip_zero_shot',
        'BALLAD, A then B=w/seed1/work_dirs/ballad_b',
        *(
            f'ResNet-18{name}=w/seed1/work_dirs/cross_entropy_r18{folder}'
            for name, folder in (
                ('', ''),
                (' + CLIP', '_clip'),
                (' + retrieval', '_retrieved'),
                (' + retrieval + CLIP', '_retrieved_clip'),
            )
        ),
    ]
