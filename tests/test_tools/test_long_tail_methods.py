"""Stages and tables of projects/long_tail_methods."""

import importlib
import json
from pathlib import Path

import pytest
from tools_in_process import fresh_modules

PROJECTS = Path(__file__).parents[2] / 'projects'
NAMES = (
    'aim',
    'methods',
    'recipe_table',
    'regime',
    'study_stages',
    'summary',
    'toy_stages',
)


@pytest.fixture(scope='module')
def study():
    """The modules of the project, which other projects name alike."""
    with fresh_modules(PROJECTS / 'long_tail_methods'):
        yield {name: importlib.import_module(name) for name in NAMES}


def row(method, few, total, seed=0, recipe='none', student='ResNet-18', **how):
    return {
        'method': method,
        'student': student,
        'retrieval': recipe != 'none',
        'recipe': recipe,
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
    assert retrieved.command[place + 2 : place + 4] == ('--recipe', 'plain')
    # The recipe holds for both stages.
    best = commands['train crt_r18_trusted']
    manifest = 'data/retrieved_trusted/manifest.parquet'
    assert best.needs == (
        'retrieve trusted images',
        'train cross_entropy_r18_trusted',
    )
    for name in best.name, best.needs[1]:
        command = commands[name].command
        place = command.index('--retrieved')
        assert command[place + 1 : place + 4] == (manifest, '--recipe', 'auto')
    trusted = commands['retrieve trusted images'].command
    assert '--min-probability=0.5' in trusted
    assert trusted[trusted.index('-o') + 1] == str(Path(manifest).parent)
    assert 'model.stage_1=work_dirs/cross_entropy_r18_trusted' in best.command
    only = study['study_stages'].list_stages(Path('w'), 3, ['crt'], ['none'])
    assert not [s for s in only if 'retriev' in s.name or 'web' in s.name]


def test_logits_are_adjusted_for_the_counts_that_were_trained_with(study):
    stages = study['study_stages'].list_stages(Path('w'), 3, [])
    ends = {
        stage.name: stage.command[-3:]
        for stage in stages
        if stage.name.startswith('adjust logits')
    }
    folder = 'work_dirs/cross_entropy_r18'
    manifest = 'data/retrieved/manifest.parquet'
    assert ends == {
        'adjust logits of cross_entropy_r18': (
            '--class-counts=data/emoji/train.txt',
            '-o',
            f'{folder}/post_hoc',
        ),
        'adjust logits of cross_entropy_r18_retrieved': (
            manifest,
            '-o',
            f'{folder}_retrieved/post_hoc',
        ),
        'adjust logits of cross_entropy_r18_trusted': (
            'data/retrieved_trusted/manifest.parquet',
            '-o',
            f'{folder}_trusted/post_hoc',
        ),
    }


def test_a_soup_is_averaged_from_trainings_on_growing_subsets(study):
    stages = study['study_stages'].list_stages(
        Path('w'), 3, ['lt_soups'], ['none', 'trusted']
    )
    commands = {stage.name: stage for stage in stages}
    run = 'lt_soups_vit_1'
    runs = [f'{run}_{2**f}_{part}' for f in range(7) for part in (0, 1)]
    merge = commands[f'average {run}']
    assert merge.needs == tuple(f'train {name}' for name in runs)
    # In the order of the rounds, two a round.
    assert merge.command[2:16] == tuple(f'work_dirs/{name}' for name in runs)
    assert merge.command[17:] == (
        '--merge=0.7',
        '--per-round=2',
        '-o',
        f'work_dirs/{run}',
    )
    second = commands[f'train {run}_4_1'].command
    assert second[-3:] == (
        'randomness.seed=7',
        'train_dataloader.dataset.imbalance=4',
        'train_dataloader.dataset.seed=7',
    )
    refit = commands['train lt_soups_vit']
    assert refit.needs == ('draw the emoji world', f'average {run}')
    option = f'model.stage_1=work_dirs/{run}/round_6.pth'
    assert refit.command[-1] == option
    best = commands['train lt_soups_vit_trusted']
    assert best.needs == ('retrieve trusted images', f'average {run}_trusted')
    assert f'train {run}_trusted_64_0' in commands


def test_tables_hold_what_is_done_and_name_what_is_missing(study, tmp_path):
    summary = study['summary']
    for seed, value in ((0, 40.0), (1, 50.0)):
        folder = tmp_path / f'seed{seed}/work_dirs/crt_r18'
        folder.mkdir(parents=True)
        metrics = {f'shot/{name}': value for name in ('many', 'few', 'all')}
        (folder / 'metrics.json').write_text(json.dumps(metrics))
    text = summary.summarize(tmp_path)
    assert '| cRT | 45.0 ± 7.1 | – | 45.0 ± 7.1 | 45.0 ± 7.1 |' in text
    missing = '- RIDE, 3 experts, with retrieved images, recipe trusted, seed'
    assert f'{missing} 1' in text
    found = json.loads((tmp_path / 'results.json').read_text())
    assert found['rows'][1] == {
        'method': 'cRT',
        'student': 'ResNet-18',
        'retrieval': False,
        'recipe': 'none',
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
        row('cross-entropy', 90, 90, recipe='plain', rebalancing=False),
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


def test_recipes_are_side_by_side_with_gains_of_the_same_seeds(study):
    rows = [
        row('RIDE', 30, 50),
        row('RIDE', 40, 54, seed=1),
        row('RIDE', 50, 56, recipe='plain'),
        row('RIDE', 60, 55, recipe='trusted'),
        row('RIDE', 52, 58, seed=1, recipe='trusted'),
        row('CLIP zero-shot', 70, 70),
    ]
    table = study['recipe_table'].format_recipes(rows).splitlines()
    assert table[0] == (
        '| method | few: none | few: plain | few: trusted | all: none '
        '| all: plain | all: trusted |'
    )
    # plain: seed 0 alone, 50 - 30; trusted: (30 + 12) / 2.
    assert table[2:] == [
        '| RIDE | 35.0 ± 7.1 | 50 (+20.0) | 56.0 ± 5.7 (+21.0) '
        '| 52.0 ± 2.8 | 56 (+6.0) | 56.5 ± 2.1 (+4.5) |'
    ]


def test_the_strongest_method_gains_in_each_seed(study):
    aim = study['aim']
    rows = [
        row('RIDE', 30, 50),
        row('RIDE', 40, 52, recipe='trusted'),
        row('RIDE', 30, 50, seed=1),
        row('RIDE', 34, 53, seed=1, recipe='trusted'),
        row('cRT', 30, 45),
        row('cRT', 39, 44.5, recipe='trusted'),
        row('BALLAD', 60, 60, student='CLIP'),
        row('BALLAD', 66, 62, recipe='trusted', student='CLIP'),
        # Neither is trained, or is a single model.
        row('CLIP zero-shot', 80, 80, student='CLIP'),
        row('cross-entropy + CLIP', 90, 90),
        row('cross-entropy + CLIP', 91, 91, recipe='trusted'),
    ]
    gains = aim.check_gains(rows)
    assert [(one['method'], one['holds']) for one in gains] == [
        ('RIDE', True),
        ('cRT', False),
        ('BALLAD', True),
        ('cross-entropy + CLIP', True),
    ]
    assert gains[0]['gains'] == {0: 2, 1: 3}
    strongest = aim.check_strongest(rows)
    keys = ('name', 'method', 'column', 'gains', 'holds')
    assert [tuple(one[key] for key in keys) for one in strongest] == [
        ('strongest of all', 'BALLAD', 'all', {0: 2}, True),
        ('strongest of all', 'BALLAD', 'few', {0: 6}, True),
        ('strongest with ResNet-18', 'RIDE', 'all', {0: 2, 1: 3}, True),
        ('strongest with ResNet-18', 'RIDE', 'few', {0: 10, 1: 4}, False),
    ]
    table = aim.format_gains(gains, strongest)
    assert (
        '| strongest with ResNet-18 (RIDE), few | 7.0 ± 4.2 | >= 5 | no '
        '| 0: +10.0, 1: +4.0 |'
    ) in table
    assert '| cRT, all | -0.5 | >= 0 | no | 0: -0.5 |' in table
    assert '3 of 4 methods lose in no seed, overall.' in table
    # The strongest one is named also where it was not run with them.
    rows += [row('TADE', 99, 99), row('TADE', 99, 99, recipe='plain')]
    strongest = aim.check_strongest(rows)
    assert {one['method'] for one in strongest} == {'TADE'}
    assert not any(one['holds'] for one in strongest)
    table = aim.format_gains(gains, strongest)
    assert '| strongest of all (TADE), few | – | >= 5 | not run | |' in table
