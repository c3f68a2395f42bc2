"""Importing ltvl_mm is quick, and prepares mmengine for when it comes."""

import ast
import subprocess
import sys
from contextlib import contextmanager

import pytest
from small_inputs import ROOT

from ltvl_mm.utils.import_hooks import run_after_import, wrap_import
from ltvl_mm.utils.lazy_imports import attach_names

HEAVY = 'torch mmengine mmcv mmpretrain open_clip faiss pyarrow numpy'


def run_python(script):
    done = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.smoke
def test_import_of_the_package_imports_nothing_heavy():
    script = f"""
import sys, ltvl_mm, ltvl_mm.apis, ltvl_mm.models, ltvl_mm.datasets
import ltvl_mm.engine.hooks, ltvl_mm.evaluation, ltvl_mm.visualization
assert not set('{HEAVY}'.split()) & set(sys.modules)
assert 'LongTailInferencer' in ltvl_mm.__all__
"""
    run_python(script)


@pytest.mark.smoke
@pytest.mark.parametrize(
    'first',
    [
        'import ltvl_mm, mmengine.runner',
        'import mmengine.runner, ltvl_mm',
        'import mmengine.runner, ltvl_mm.registry',
        'import ltvl_mm, mmengine.runner.checkpoint',
        'import mmengine.registry as r; r.DATASETS.get("ltvl_mm.EmojiWorld")',
    ],
)
def test_loaders_of_mmengine_are_replaced_in_any_order(first):
    script = f"""
{first}
from mmengine.runner.checkpoint import CheckpointLoader
modules = {{one.__module__ for one in CheckpointLoader._schemes.values()}}
assert modules == {{'ltvl_mm.utils.mmengine_checkpoints'}}, modules
"""
    run_python(script)


def list_registered_classes():
    """Return (registry, name) of each class that a decorator registers."""
    found = []
    for path in (ROOT / 'ltvl_mm').rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if not isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                continue
            for decorator in map(ast.unparse, node.decorator_list):
                registry, _, call = decorator.partition('.')
                if call == 'register_module()':
                    found.append((registry, node.name))
    return found


@pytest.mark.smoke
def test_every_registered_part_is_found_without_importing_it():
    parts = list_registered_classes()
    assert len(parts) > 40
    script = f"""
import mmengine.registry as registries
missing = [
    part for part in {parts}
    if getattr(registries, part[0]).get('ltvl_mm.' + part[1]) is None
]
assert not missing, missing
"""
    run_python(script)


@pytest.mark.smoke
def test_mmpretrain_prints_nothing_at_its_import():
    assert not run_python('import ltvl_mm, mmpretrain.datasets')


def test_functions_run_once_after_the_import(tmp_path, monkeypatch):
    (tmp_path / 'hooked_module.py').write_text('value = 1\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, 'meta_path', [*sys.meta_path])
    seen = []

    @contextmanager
    def enter():
        seen.append('before')
        yield
        seen.append('after')

    wrap_import('hooked_module', enter)
    run_after_import(
        'hooked_module',
        lambda: seen.append(sys.modules['hooked_module'].value),
    )
    import hooked_module
    import hooked_module as again

    assert again is hooked_module
    assert sorted(map(str, seen)) == ['1', 'after', 'before']
    run_after_import('hooked_module', lambda: seen.append('now'))
    assert seen[-1] == 'now'
    del sys.modules['hooked_module']


def test_errors_of_the_function_fail_the_import(tmp_path, monkeypatch):
    (tmp_path / 'unsafe_module.py').touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, 'meta_path', [*sys.meta_path])
    run_after_import('unsafe_module', lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        import unsafe_module  # noqa: F401
    assert 'unsafe_module' not in sys.modules
    run_after_import('not_there_module', list)
    with pytest.raises(ModuleNotFoundError):
        import not_there_module  # noqa: F401


def test_lazy_names_are_those_of_their_modules():
    find, list_names, names = attach_names(
        'json', {'decoder': ['JSONDecoder']}
    )
    from json.decoder import JSONDecoder

    assert find('JSONDecoder') is JSONDecoder
    assert list_names() == names == ['JSONDecoder']
    with pytest.raises(AttributeError, match="module 'json' has no"):
        find('missing')
