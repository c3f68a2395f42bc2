"""Folders, names, depth and repetition of the configs."""

import ast
import itertools
import re

import pytest
from leaves import CONFIGS
from mmengine.config import Config

FILES = sorted(CONFIGS.rglob('*.py'))
LEAVES = [
    path
    for path in FILES
    if not {'_base_', 'toy'} & set(path.parts) and path.parent != CONFIGS
]
METHODS = sorted({path.parent for path in LEAVES})
DATA = {
    'imagenet-lt': 'data/imagenet',
    'places-lt': 'data/places',
    'inat18': 'data/inat18',
    'cifar100-lt': 'data/cifar100_lt',
    'captions': None,
}
# {gpus}xb{batch}-{epochs}e_{dataset}
SCHEDULE = re.compile(r'_(\d+)xb(\d+)-(\d+)e_([a-z0-9-]+)$')
# As many as there are: lower it when configs share more, never raise it. When
# all configs lay in one folder, the pairs were 152, headers included.
MAX_PAIRS = 35
RUN = 6


def find_bases(path):
    """Return the files that a config names in ``_base_``."""
    for statement in ast.parse(path.read_text(encoding='utf-8')).body:
        if isinstance(statement, ast.Assign) and (
            ast.unparse(statement.targets[0]) == '_base_'
        ):
            named = ast.literal_eval(statement.value)
            named = [named] if isinstance(named, str) else named
            return [(path.parent / name).resolve() for name in named]
    return []


def count_depth(path):
    """Return how many files the longest chain from a config holds."""
    return 1 + max(map(count_depth, find_bases(path)), default=0)


def list_code(path):
    """Return lines of code without header, comments and closing brackets."""
    text = path.read_text(encoding='utf-8')
    first = ast.parse(text).body[0]
    lines = text.splitlines()
    if isinstance(first, ast.Expr):  # the header
        lines = lines[first.end_lineno :]
    code = [line.partition('  #')[0].strip() for line in lines]
    return [
        line
        for line in code
        if not line.startswith('#') and re.search(r'\w', line)
    ]


def find_repetitions(files):
    """Return pairs of files that share a run of six or more lines."""
    runs = {}
    for path in files:
        code = list_code(path)
        runs[path] = {
            tuple(code[start : start + RUN])
            for start in range(len(code) - RUN + 1)
        }
    return [
        (first, second)
        for first, second in itertools.combinations(files, 2)
        if runs[first] & runs[second]
    ]


def name_file(path):
    return path.relative_to(CONFIGS).as_posix()


@pytest.mark.parametrize('path', FILES, ids=name_file)
def test_a_chain_holds_three_files_at_most(path):
    assert count_depth(path) <= 3


def test_few_pairs_of_files_share_six_lines(tmp_path):
    assert len(find_repetitions(FILES)) <= MAX_PAIRS
    lines = [f'a{number} = {number}' for number in range(7)]
    files = [tmp_path / f'{name}.py' for name in 'abc']
    files[0].write_text('"""A."""\n' + '\n'.join(lines[:6]))
    files[1].write_text('"""B."""\n# b\n' + '\n\n'.join(lines))
    files[2].write_text('"""C."""\n' + '\n'.join(lines[1:6]))
    assert find_repetitions(files) == [(files[0], files[1])]


def test_one_config_alone_lies_in_the_top_folder():
    assert [path.name for path in CONFIGS.glob('*.py')] == ['tackle_rx50.py']


@pytest.mark.parametrize('folder', METHODS, ids=lambda path: path.name)
def test_a_method_has_a_readme_and_a_metafile(folder):
    assert (folder / 'README.md').is_file()
    assert (folder / 'metafile.yml').is_file()


@pytest.mark.parametrize('path', LEAVES, ids=name_file)
def test_a_name_says_method_gpus_batch_epochs_and_data_set(path):
    cfg = Config.fromfile(path)
    assert path.stem.startswith(path.parent.name)
    found = SCHEDULE.search(path.stem)
    if cfg.get('train_dataloader') is None:
        assert found is None
        dataset = path.stem.rpartition('_')[2]
    else:
        gpus, batch, epochs = map(int, found.groups()[:3])
        dataset = found[4]
        assert cfg.train_dataloader.batch_size == batch
        assert cfg.train_cfg.max_epochs == epochs
        if 'cached' not in path.stem:
            assert cfg.auto_scale_lr.base_batch_size == gpus * batch
    assert cfg.get('data_root') == DATA[dataset]


def test_students_do_not_inherit_methods():
    for path in (CONFIGS / 'cross_entropy').glob('*.py'):
        assert all('_base_' in base.parts for base in find_bases(path))
    for path in [*(CONFIGS / 'tackle').glob('*.py'), *CONFIGS.glob('*.py')]:
        (base,) = find_bases(path)
        assert base.parent.name == 'cross_entropy'
