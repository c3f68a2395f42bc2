"""Headers of baselines name their source and what differs from it."""

import ast
import re

import pytest
from leaves import CONFIGS as ROOT
from leaves import load_leaf
from mmengine.config import Config

# Of papers that we compare with; those of ours have no source to deviate from.
OURS = {'_base_', 'ballad', 'clip', 'clip_zero_shot', 'cross_entropy'} | {
    *('ensemble', 'tackle'),
}
BASELINES = sorted(
    path for path in ROOT.glob('*/*.py') if path.parent.name not in OURS
)


@pytest.mark.parametrize('path', BASELINES, ids=lambda path: path.stem)
def test_headers_name_the_source_config_and_each_deviation(path):
    text = ' '.join(ast.get_docstring(ast.parse(path.read_text())).split())
    source = text[text.index('Source:') : text.index('Differs:')]
    differs = text[text.index('Differs:') : text.index('Command:')]
    named = ('.json', '.yaml', '.py', '/sh', 'README', 'no config')
    assert any(word in source for word in named)
    assert len(differs) > len('Differs: ')


# Setting -> how a header states it, and words of which one names a deviation.
STATED = {
    'weight decay': (r'weight decay (\d+e-\d+)', ('weight decay',)),
    'epochs': (r'(\d+) epochs', ('epochs', 'whole network')),
    'images': (r'batch(?:es of)? (\d+)', ('batch',)),
    'rate': (r'lr (\d+\.\d+)', ('lr',)),
}


@pytest.mark.parametrize('path', BASELINES, ids=lambda path: path.stem)
def test_headers_name_each_setting_that_is_not_that_of_their_source(path):
    text = ' '.join(ast.get_docstring(ast.parse(path.read_text())).split())
    source = text[text.index('Source:') : text.index('Differs:')]
    differs = text[text.index('Differs:') : text.index('Command:')]
    gpus = int(
        re.search(r'\.py (?:\\ )?(\d)', text[text.index('Command:') :])[1]
    )
    cfg = Config.fromfile(path)
    optimizer = cfg.optim_wrapper.optimizer
    ours = {
        'weight decay': optimizer.weight_decay,
        'epochs': cfg.train_cfg.max_epochs,
        'images': gpus * cfg.train_dataloader.batch_size,
        'rate': optimizer.lr,
    }
    for setting, (pattern, words) in STATED.items():
        theirs = re.search(pattern, source)
        if theirs and float(theirs[1]) != ours[setting]:
            assert any(word in differs for word in words), setting


# Of the README's study and of the paper's tables.
METHODS = (
    *(
        'BALLAD',
        'LIFT',
        'LIFT+',
        'LT-Soups',
        'CONTAINER-Light',
        'OLTR',
        'LWS',
        'cRT',
        'NCM',
    ),
    *('tau-normalized', 'LADE', 'LDAM-DRW', 'RIDE', 'TADE', 'PaCo', 'GPaCo'),
    *('ResLT', 'balanced softmax', 'PC softmax', 'logit adjustment'),
)
AUTHORS_CODE = ROOT.parent / 'docs/authors_code.md'


def read_rows():
    """Return first cell -> other cells of all tables of the page."""
    rows = {}
    for line in AUTHORS_CODE.read_text().splitlines():
        if line.startswith('|'):
            name, *cells = (cell.strip() for cell in line[1:-1].split('|'))
            rows[name] = cells
    return rows


def test_the_page_on_the_authors_code_has_every_method():
    names = ' '.join(read_rows())
    assert [method for method in METHODS if method not in names] == []


@pytest.mark.parametrize(
    ('data_set', 'model', 'dataset'),
    [
        ('ImageNet-LT', 'rx50', 'imagenet-lt'),
        ('Places-LT', 'r152', 'places-lt'),
        ('iNaturalist 2018', 'r50', 'inat18'),
    ],
)
def test_the_page_has_the_settings_of_tade_at_test_time(
    data_set, model, dataset
):
    cfg = load_leaf(f'tade-official_{model}', dataset)
    rate, decay, entropy, crop = read_rows()[data_set]
    settings = cfg.aggregation
    assert float(rate) == settings.rate
    assert float(decay) == settings.weight_decay
    assert float(entropy.replace('–', '0')) == settings.get(
        'entropy_weight', 0
    )
    smallest, _ = cfg.aggregation_views[1].crop_ratio_range
    assert crop.startswith(f'{smallest:g} to 1')
