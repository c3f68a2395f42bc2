"""Tiny inputs that several tests share."""

import gc
import os
import subprocess
import sys

# As run_tests.sh does. Sums depend on the number of threads, and some tests
# compare a training in this process with one in another.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import pytest
from small_inputs import NAMES, PIPELINE, ROOT, save_image, write_manifest


def pytest_collection_modifyitems(items):
    """Start tools first: short tests at the end leave no core without one."""
    items.sort(key=lambda item: 'test_tools' not in item.path.parts)


def pytest_collection_finish():
    """Leave what is imported out of each collection of garbage.

    mmpretrain asks for one with every data set: 0.3 s each time, most of what
    tests of data sets and configs took.
    """
    gc.freeze()


@pytest.fixture(autouse=True)
def keep_default_scope():
    """Restore mmengine's default scope, which every Runner changes for good.

    A Runner whose config names none leaves 'mmengine', in which later tests
    would not find the losses of mmpretrain.
    """

    def list_scopes():
        registry = sys.modules.get('mmengine.registry')
        return getattr(registry, 'DefaultScope', None)

    scopes = list_scopes()
    before = dict(scopes._instance_dict) if scopes else {}
    yield
    scopes = list_scopes()
    if scopes:
        scopes._instance_dict.clear()
        scopes._instance_dict.update(before)


@pytest.fixture
def target(tmp_path):
    """Config of a labeled list: three cats, two dogs, one owl."""
    labels = [0, 0, 0, 1, 1, 2]
    lines = []
    for number, label in enumerate(labels):
        file = tmp_path / 'target' / 'images' / f'{number}.png'
        save_image(file, number)
        lines.append(f'images/{number}.png {label}\n')
    (tmp_path / 'target' / 'train.txt').write_text(''.join(lines))
    return dict(
        type='mmpretrain.CustomDataset',
        data_root=str(tmp_path / 'target'),
        ann_file='train.txt',
        data_prefix='',
        with_label=True,
        classes=list(NAMES),
        pipeline=[dict(step) for step in PIPELINE],
    )


@pytest.fixture
def manifest(tmp_path):
    """File of a manifest: two cats, three dogs, one owl from the web."""
    return write_manifest(tmp_path / 'web', NAMES, [0, 0, 1, 1, 1, 2])


@pytest.fixture(scope='session')
def toy_home(tmp_path_factory):
    """A folder to run tools in: the clone's, with a tiny embedded world.

    The world has all classes, which the configs count, with one to three
    images of each.
    """
    # Here, so that tests without mmpretrain do not wait for its import.
    from ltvl_mm.datasets.emoji_world_files import write_emoji_world
    from ltvl_mm.datasets.emoji_world_spec import EmojiWorldSize

    home = tmp_path_factory.mktemp('home')
    for name in ('configs', 'projects', 'tools'):
        (home / name).symlink_to(ROOT / name)
    size = EmojiWorldSize(
        train_most=3,
        train_fewest=1,
        val_per_class=1,
        test_per_class=1,
        web=40,
        web_per_tar=20,
    )
    write_emoji_world(home / 'data/emoji', size)
    return home


@pytest.fixture(scope='session')
def toy_root(toy_home):
    """The tiny embedded world."""
    return toy_home / 'data/emoji'


@pytest.fixture
def toy_folder(toy_home, tmp_path, monkeypatch):
    """The folder of a test, entered, with the tiny world below it."""
    (tmp_path / 'data').symlink_to(toy_home / 'data')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope='session')
def toy_manifest(tmp_path_factory):
    """A manifest with one image for every second class of the world."""
    from ltvl_mm.datasets.emoji_concepts import CLASS_NAMES

    folder = tmp_path_factory.mktemp('toy_web')
    return write_manifest(folder, CLASS_NAMES, list(range(0, 96, 2)), side=32)


@pytest.fixture(scope='session')
def run_tool(toy_home, tmp_path_factory):
    """Function that runs a command beside the tiny world."""
    log = tmp_path_factory.mktemp('tools') / 'log.txt'
    programs = os.path.dirname(sys.executable)
    environment = {
        **os.environ,
        'PATH': f'{programs}{os.pathsep}{os.environ["PATH"]}',
        'LTVL_PYTHON': sys.executable,  # what the launchers take
        'OMP_NUM_THREADS': '1',
        'CUDA_VISIBLE_DEVICES': '',  # two ranks cannot share one GPU
    }

    def run(*command, status=0, cwd=toy_home, **variables):
        # Not a pipe: workers of a killed process would hold it for seconds.
        with open(log, 'w') as file:
            done = subprocess.run(
                [str(word) for word in command],
                cwd=cwd,
                env={**environment, **variables},
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=300,
            )
        assert done.returncode == status, log.read_text()[-4000:]
        return log.read_text()

    return run


@pytest.fixture(scope='session')
def run_here(toy_home):
    """Function as ``run_tool`` that runs ``python SCRIPT`` in this process.

    For commands whose process is not what is tested: imports take 4 s.
    """

    def run(*command, status=0):
        from tools_in_process import run_python_here

        python, script, *arguments = command
        assert python == 'python'
        before = os.getcwd()
        os.chdir(toy_home)
        try:
            return run_python_here(script, *arguments, status=status)
        finally:
            os.chdir(before)

    return run


@pytest.fixture
def ghostscript(tmp_path, monkeypatch):
    """Put a ``gs`` into PATH; return the file that it writes when started."""
    marker = tmp_path / 'started'
    folder = tmp_path / 'bin'
    folder.mkdir()
    for name in ('gs', 'gswin32c', 'gswin64c'):
        program = folder / name
        program.write_text(f'#!/bin/sh\ntouch {marker}\n')
        program.chmod(0o755)
    path = f'{folder}{os.pathsep}{os.environ["PATH"]}'
    monkeypatch.setenv('PATH', path)
    # As if ltvl_mm, which sets these to False, were not imported.
    monkeypatch.setattr('PIL.EpsImagePlugin.gs_binary', None)
    monkeypatch.setattr('PIL.EpsImagePlugin.gs_windows_binary', None)
    return marker
