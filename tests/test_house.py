"""Habits of the code: short files, names of one meaning, readable loops."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAX_LINES = 300
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def list_files():
    for folder in ('ltvl_mm', 'tools', 'projects', 'configs', 'docs', 'tests'):
        yield from sorted((ROOT / folder).rglob('*.py'))


def count_loops(node):
    """Return the loops of the deepest comprehension in a node."""
    inner = max(map(count_loops, ast.iter_child_nodes(node)), default=0)
    own = len(node.generators) if isinstance(node, COMPREHENSIONS) else 0
    return own + inner


def test_no_comprehension_is_nested_three_times():
    deep = []
    for path in list_files():
        tree = ast.parse(path.read_text(encoding='utf-8'))
        deep += [
            f'{path.relative_to(ROOT)}:{node.lineno}'
            for node in ast.walk(tree)
            if isinstance(node, COMPREHENSIONS) and count_loops(node) > 2
        ]
    assert not deep, f'write loops with names: {deep}'


def test_files_are_short():
    long = {}
    for path in list_files():
        lines = len(path.read_text(encoding='utf-8').splitlines())
        if lines > MAX_LINES:
            long[path.relative_to(ROOT).as_posix()] = lines
    assert not long, f'split files of more than {MAX_LINES} lines: {long}'


def find_repeated(homes):
    return {name: found for name, found in homes.items() if len(found) > 1}


def test_a_public_name_is_defined_once():
    homes = defaultdict(list)
    for path in sorted((ROOT / 'ltvl_mm').rglob('*.py')):
        tree = ast.parse(path.read_text(encoding='utf-8'))
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                homes[node.name].append(path.relative_to(ROOT).as_posix())
    repeated = find_repeated(homes)
    # Each command has a main().
    public = {n for n in repeated if not n.startswith('_')} - {'main'}
    assert not public, {name: homes[name] for name in public}


def test_a_module_name_occurs_once():
    homes = defaultdict(list)
    for path in sorted((ROOT / 'ltvl_mm').rglob('*.py')):
        if path.name == '__init__.py':
            homes[path.parent.name].append(path)
        elif path.name != '__main__.py':
            homes[path.stem].append(path)
    assert not find_repeated(homes)


def test_readme_is_short():
    lines = (ROOT / 'README.md').read_text(encoding='utf-8').splitlines()
    assert len(lines) <= 130
