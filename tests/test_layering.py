"""Imports point one way, and each heavyweight has one home."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / 'ltvl_mm'
FILES = sorted(ROOT.rglob('*.py'))
SIBLINGS = ('datasets', 'engine', 'evaluation', 'models', 'retrieval')
# What a folder of the package may import beside itself.
ALLOWED = {
    '__init__.py': {'apis', 'utils', 'version'},
    '__main__.py': {'utils'},
    'check_env.py': set(),
    'registry.py': set(),
    'version.py': set(),
    'utils': set(),
    'structures': {'utils'},
    'clip': {'structures', 'utils'},
    **{
        name: {'registry', 'structures', 'utils', 'version'}
        for name in SIBLINGS
    },
    'models': {'clip', 'registry', 'structures', 'utils', 'version'},
    'visualization': {'evaluation', 'registry', 'structures', 'utils'},
    # The top: what programs call.
    'apis': {*SIBLINGS, 'clip', 'structures', 'utils', 'visualization'},
}
# Other packages that CLIP is built on: it serves retrieval, which runs
# without mmpretrain. mmengine only logs.
CLIP_NEEDS = {'PIL', 'open_clip', 'torch', 'mmengine.logging'}
HOMES = {
    'open_clip': {
        'clip/towers.py',
        'clip/preprocessing.py',
        'clip/sources.py',
        'clip/templates.py',
    },
    'faiss': {
        'retrieval/dedup/near_pairs.py',
        'retrieval/search/index_search.py',
    },
    # The emoji world writes tars; what it writes is read elsewhere.
    'tarfile': {'retrieval/reading/tar_format.py', 'datasets/web_tars.py'},
    'matplotlib': {
        'visualization/class_accuracy.py',
        'visualization/fonts.py',
        'visualization/mixture_curve.py',
    },
    'fontTools': {'visualization/fonts.py'},
    'plotly': {
        f'visualization/report/{name}.py'
        for name in (
            *('accuracy_chart', 'arrow_chart', 'confusion_chart'),
            *('frequency_chart', 'precision_chart', 'probability_chart'),
            *('feature_map_chart', 'reliability_chart', 'training_chart'),
            *('chart', 'plot'),
        )
    },
    'ray': {
        f'retrieval/dealing/{name}.py'
        for name in ('ray_encoders', 'ray_engine', 'ray_tasks')
    },
    'jinja2': {'visualization/report/page.py'},
    'sklearn': {'evaluation/feature_map.py'},
}


def list_imports(path):
    """Return the dotted names that a file imports anywhere in it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}: relative import'
            found += [f'{node.module}.{alias.name}' for alias in node.names]
    return [name.split('.') for name in found]


@pytest.mark.parametrize(
    'path', FILES, ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_imports_point_down(path):
    room = path.relative_to(ROOT).parts[0]
    for top, *inner in list_imports(path):
        assert top not in ('tools', 'projects', 'tests')
        if top == 'ltvl_mm' and inner[:1] != [room]:
            assert inner, 'the package imports itself'
            assert inner[0] in ALLOWED[room], f'{room} imports {inner[0]}'


def test_clip_is_built_on_torch_and_open_clip():
    needs = {
        '.'.join(name[:2] if name[0] == 'mmengine' else name[:1])
        for path in (ROOT / 'clip').glob('*.py')
        for name in list_imports(path)
    }
    assert needs - set(sys.stdlib_module_names) - {'ltvl_mm'} == CLIP_NEEDS


def test_embedding_and_retrieval_import_no_trainer():
    script = """
import sys
import ltvl_mm.apis.image_embedding, ltvl_mm.apis.image_retrieval
assert 'ltvl_mm.clip.towers' in sys.modules
for name in ('mmpretrain', 'mmcv', 'mmengine.runner', 'ltvl_mm.registry'):
    assert name not in sys.modules, name
"""
    subprocess.run([sys.executable, '-c', script], check=True, timeout=120)


def test_training_imports_neither_arrow_nor_image_plugins_for_stock_data():
    script = """
import sys
import ltvl_mm.apis.recipe_choice, ltvl_mm.structures.class_counts
assert 'ltvl_mm.utils.image_decoding' in sys.modules
for name in ('pyarrow', 'PIL.DdsImagePlugin', 'PIL.PdfParser'):
    assert name not in sys.modules, name
"""
    subprocess.run([sys.executable, '-c', script], check=True, timeout=120)


@pytest.mark.parametrize('package', HOMES)
def test_each_heavyweight_has_one_home(package):
    homes = {
        path.relative_to(ROOT).as_posix()
        for path in FILES
        if any(name[0] == package for name in list_imports(path))
    }
    assert homes == HOMES[package]


@pytest.mark.smoke
def test_without_the_heavyweights_students_import_and_clip_says_what_to_do():
    script = """
import sys
for name in ('open_clip', 'faiss', 'matplotlib', 'plotly', 'sklearn'):
    sys.modules[name] = None  # importing it fails from here on
from mmengine.registry import DATASETS, MODELS
# As a stock config of mmpretrain finds it: nothing of ours is imported yet.
assert DATASETS.get('ltvl_mm.TACKLEDataset') is not None
import ltvl_mm, ltvl_mm.registry
for name in ('CLIPBackbone', 'CLIPContrastiveHead', 'TextInitClsHead'):
    try:
        MODELS.build(dict(type=f'ltvl_mm.{name}', arch='RN50'))
    except ImportError as error:
        assert 'pip install open_clip_torch' in str(error), error
    else:
        raise AssertionError(f'{name} was built')
"""
    subprocess.run([sys.executable, '-c', script], check=True, timeout=120)
