"""The wheel, in a new environment and without the clone.

The environment takes torch and the OpenMMLab packages from that of the tests,
so that nothing is downloaded.
"""

import os
import shutil
import site
import subprocess
import sys
import zipfile

import pytest
from small_inputs import ROOT


def run(*command, cwd, status=0, **variables):
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ('PYTHONPATH', 'LTVL_PYTHON', 'VIRTUAL_ENV')
    }
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment | {'CUDA_VISIBLE_DEVICES': ''} | variables,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """The wheel of the files that git tracks, or would."""
    source = tmp_path_factory.mktemp('source')
    files = subprocess.run(
        [
            'git',
            'ls-files',
            '-z',
            '--cached',
            '--others',
            '--exclude-standard',
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split('\0')
    for name in filter(None, files):
        # A deleted file is still in the index.
        if os.path.lexists(ROOT / name):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name, follow_symlinks=False)
    out = tmp_path_factory.mktemp('dist')
    run(
        *(sys.executable, '-m', 'pip', 'wheel', source, '--no-deps'),
        *('--no-build-isolation', '--quiet', '-w', out),
        cwd=source,
    )
    return next(out.glob('ltvl_mm-*.whl'))


@pytest.fixture(scope='module')
def python(wheel, tmp_path_factory):
    """The Python of an environment with the wheel, and not the clone."""
    folder = tmp_path_factory.mktemp('environment') / 'venv'
    run(
        *(sys.executable, '-m', 'venv', '--without-pip', folder),
        cwd=folder.parent,
    )
    python = folder / 'bin/python'
    packages = run(
        python, '-c', 'import site; print(site.getsitepackages()[0])', cwd='/'
    ).strip()
    with open(f'{packages}/dependencies.pth', 'w') as file:
        # A plain path: an editable install of the clone is not followed.
        file.write('\n'.join(site.getsitepackages()))
    run(
        *(sys.executable, '-m', 'pip', '--python', python, 'install'),
        *('--no-deps', '--no-index', '--quiet', '--ignore-installed', wheel),
        cwd='/',
    )
    return python


@pytest.mark.smoke
def test_the_wheel_holds_configs_tools_and_the_index(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in (
        'configs/tackle_rx50.py',
        'configs/toy/cross_entropy/cross_entropy_r18.py',
        'configs/tackle/metafile.yml',
        'tools/train.py',
        'tools/dist_train.sh',
        'tools/analysis_tools/tune_ensemble.py',
        'projects/paper_tables/tables.yml',
        'model-index.yml',
    ):
        assert f'ltvl_mm/.mim/{name}' in names
    assert not [name for name in names if '__pycache__' in name]
    assert not [name for name in names if name.startswith('tests/')]


@pytest.mark.smoke
def test_dependencies_name_neither_family(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith('METADATA'))
        lines = archive.read(name).decode().splitlines()
    needed = [
        line
        for line in lines
        if line.startswith('Requires-Dist:') and 'extra ==' not in line
    ]
    assert needed
    assert not [
        line for line in needed if 'mmengine' in line or 'mmcv' in line
    ]
    assert not [line for line in needed if 'mmpretrain' in line]


@pytest.mark.smoke
def test_python_api_of_the_wheel(python, tmp_path):
    script = """
import pathlib, sys
import ltvl_mm
assert 'venv' in ltvl_mm.__file__, ltvl_mm.__file__
from mmengine.config import Config
pathlib.Path('mine.py').write_text(
    "_base_ = 'ltvl_mm::toy/cross_entropy/cross_entropy_r18.py'\\n"
    "work_dir = 'w'\\n"
)
cfg = Config.fromfile('mine.py')
assert cfg.work_dir == 'w' and cfg.train_dataloader.dataset
assert 'tackle_rx50' in ltvl_mm.list_models()
model = ltvl_mm.get_model('tackle_rx50')
print(type(model).__name__)
"""
    said = run(python, '-c', script, cwd=tmp_path)
    # Warnings of an import may follow on stderr.
    assert 'ImageClassifier' in said.splitlines()


@pytest.mark.smoke
def test_commands_of_the_wheel(python, tmp_path):
    command = python.with_name('ltvl-mm')
    assert '  embed_images ' in run(command, cwd=tmp_path)
    said = run(command, 'train', '--help', cwd=tmp_path)
    assert said.startswith('usage: train.py')
    assert 'nothing is missing' in run(command, 'check_env', cwd=tmp_path)
    said = run(python, '-m', 'ltvl_mm', 'tran', cwd=tmp_path, status=1)
    assert 'did you mean train?' in said


@pytest.mark.smoke
def test_training_from_the_wheel(python, toy_home, toy_manifest, tmp_path):
    (tmp_path / 'data').symlink_to(toy_home / 'data')
    (tmp_path / 'mine.py').write_text(
        "_base_ = 'ltvl_mm::toy/cross_entropy/cross_entropy_r18.py'\n"
        'train_cfg = dict(_delete_=True, by_epoch=False, max_iters=1)\n'
    )
    said = run(
        *(python, '-m', 'ltvl_mm', 'train', 'mine.py', '--no-validate'),
        *('--work-dir', 'run', '--retrieved', toy_manifest),
        cwd=tmp_path,
        OMP_NUM_THREADS='1',
    )
    assert list((tmp_path / 'run').glob('*.pth')), said
    assert 'Could not import OneDL' not in said
