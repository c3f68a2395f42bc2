"""Stages and tables of projects/long_tail_methods."""

import importlib
import json
from pathlib import Path

import pytest
from tools_in_process import fresh_modules

PROJECTS = Path(__file__).parents[2] / 'projects'
NAMES = ('methods', 'regime', 'study_stages', 'summary', 'toy_stages')


@pytest.fixture(scope='module')
def study():
    """The modules of the project, which other projects name alike."""
    with fresh_modules(PROJECTS / 'long_tail_methods'):
        yield {name: importlib.import_module(name) for name in NAMES}


def row(
    method, few, total, seed=0, retrieval=False, student='ResNet-18', **how
):
    return {
        'method': method,
        'student': student,
        'retrieval': retrieval,
        'rebalancing': how.get('rebalancing', True),
        'seed': seed,
        'few': few,
        'all': total,
    }


def test_every_config_and_every_stage_that_is_needed_exists(study):
    work = Path('/work/seed3')
    methods = study['methods'].METHODS
    configs = PROJECTS.parent / 'configs/toy'
    for method in methods.values():
        assert (configs / f'{method.config}.py').is_file()
        assert not method.first or (configs / f'{method.first}.py').is_file()
    stages = study['study_stages'].list_stages(work, 3, list(methods))
    known = set()
    for stage in stages:
        assert set(stage.needs) <= known, stage.name
        assert stage.cwd == work
        assert stage.name not in known
        known.add(stage.name)
    # Each row is the result of a stage.
    written = ' '.join(' '.join(stage.command) for stage in stages)
    for source in study['summary'].list_sources():
        assert str(Path(source.file).parent) in written


def test_second_stages_begin_with_the_first_of_their_images(study):
    stages = study['study_stages'].list_stages(Path('w'), 3, ['crt'])
    commands = {stage.name: stage for stage in stages}
    plain = commands['train crt_r18']
    assert plain.needs == (
        'draw the emoji world',
        'train cross_entropy_r18',
    )
    assert 'model.stage_1=work_dirs/cross_entropy_r18' in plain.command
    retrieved = commands['train crt_r18_retrieved']
    assert retrieved.needs == ('retrieve', 'train cross_entropy_r18_retrieved')
    assert 'randomness.seed=3' in retrieved.command
    place = retrieved.command.index('--retrieved')
    assert retrieved.command[place + 1] == 'data/retrieved/manifest.parquet'
    only = study['study_stages'].list_stages(Path('w'), 3, ['crt'], 'none')
    assert not [s for s in only if 'retriev' in s.name or 'web' in s.name]


def test_tables_hold_what_is_done_and_name_what_is_missing(study, tmp_path):
    summary = study['summary']
    for seed, value in ((0, 40.0), (1, 50.0)):
        folder = tmp_path / f'seed{seed}/work_dirs/crt_r18'
        folder.mkdir(parents=True)
        metrics = {f'shot/{name}': value for name in ('many', 'few', 'all')}
        (folder / 'metrics.json').write_text(json.dumps(metrics))
    text = summary.summarize(tmp_path)
    assert '| cRT | 45.0 ± 7.1 | – | 45.0 ± 7.1 | 45.0 ± 7.1 |' in text
    assert '- RIDE, 3 experts, with retrieved images, seed 1' in text
    found = json.loads((tmp_path / 'results.json').read_text())
    assert found['rows'][1] == {
        'method': 'cRT',
        'student': 'ResNet-18',
        'retrieval': False,
        'rebalancing': True,
        'many': 50.0,
        'few': 50.0,
        'all': 50.0,
        'seed': 1,
    }
    assert len(found['missing']) == text.count('\n- ')


def test_limits_hold_on_the_mean_over_seeds(study):
    regime = study['regime']
    rows = [
        row('cross-entropy', 19, 60, rebalancing=False),
        row('cross-entropy', 23, 62, seed=1, rebalancing=False),
        row('cross-entropy', 90, 90, retrieval=True, rebalancing=False),
        row('LDAM-DRW', 55, 63),
        row('RIDE, 3 experts', 45, 66),
        row("PaCo, CLIP's weights", 70, 70, student='CLIP'),
        row('CLIP zero-shot', 60, 61, rebalancing=False),
    ]
    checks = {
        (check['name'], check['column']): (check['value'], check['holds'])
        for check in regime.check_regime(rows)
    }
    assert checks == {
        ('plain student', 'few'): (21, False),
        ('plain student', 'all'): (61, True),
        # RIDE is the best one: its accuracy over all classes is highest.
        ('best re-balancing', 'few'): (45, True),
        ('CLIP zero-shot', 'all'): (61, True),
    }
    table = regime.format_checks(regime.check_regime(rows))
    assert (
        '| plain student (cross-entropy), few | 21.0 ± 2.8 | <= 20 | no | few'
    ) in table
    assert 'best re-balancing (RIDE, 3 experts), few | 45.0 | <= 50' in table
    assert '| CLIP zero-shot, all | 61.0 | >= 60 | yes |' in table
