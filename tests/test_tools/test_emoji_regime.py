import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / 'projects/emoji_regime/summary.py'


@pytest.fixture(scope='module')
def summary():
    spec = importlib.util.spec_from_file_location('regime_summary', FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def row(method, few, total, seed=0):
    return {'method': method, 'seed': seed, 'few': few, 'all': total}


def test_limits_hold_on_the_mean_over_seeds(summary):
    rows = [
        row('plain student', 19, 60),
        row('plain student', 23, 62, seed=1),
        row('LDAM-DRW', 55, 63),
        row('RIDE, 3 experts', 45, 66),
        row('CLIP zero-shot', 60, 61),
    ]
    checks = {
        (check['method'], check['column']): (check['value'], check['holds'])
        for check in summary.check_regime(rows)
    }
    assert checks == {
        ('plain student', 'few'): (21, False),
        ('plain student', 'all'): (61, True),
        # RIDE is the best one: its accuracy over all classes is highest.
        ('best re-balancing', 'few'): (45, True),
        ('CLIP zero-shot', 'all'): (61, True),
    }
    table = summary.format_checks(summary.check_regime(rows))
    assert '| plain student, few | 21.0 | <= 20 | no | 65-71' in table
    assert 'best re-balancing (RIDE, 3 experts), few | 45.0' in table
    assert '| CLIP zero-shot, all | 61.0 | >= 60 | yes |' in table


def test_every_method_has_a_config(summary):
    folder = Path(__file__).parents[2] / 'configs/emoji'
    for method in (*summary.METHODS, summary.ZERO_SHOT):
        assert (folder / f'{method}.py').is_file()
