"""The commands of README and docs, run as a reader would run them.

Not among the tests of every day (they train), but in CI: ``-m docs``.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from documents import ROOT, list_documents, matches, read_blocks

pytestmark = pytest.mark.docs


@pytest.fixture(scope='session')
def clone(tmp_path_factory):
    """A copy of the files that git knows, with this environment."""
    folder = tmp_path_factory.mktemp('docs') / 'ltvl_mm'
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
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split('\0')
    for file in filter(None, files):
        if (ROOT / file).is_file():  # not one that was deleted
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, folder / file)
    return folder


@pytest.fixture(scope='session')
def environment(clone):
    programs = Path(sys.executable).parent
    return {
        **os.environ,
        'PATH': f'{programs}{os.pathsep}{os.environ["PATH"]}',
        'PYTHONPATH': str(clone),
        'LTVL_PYTHON': sys.executable,  # tools/install.sh installs nothing
        'CUDA_VISIBLE_DEVICES': '',
        'OMP_WAIT_POLICY': 'PASSIVE',
        'PYTHONWARNINGS': 'ignore',
    }


DOCUMENTS = [
    document
    for document in list_documents()
    if any(b.is_run or b.language == 'pycon' for b in read_blocks(document))
]


@pytest.mark.parametrize('document', DOCUMENTS, ids=str)
def test_a_document_can_be_followed(document, clone, environment):
    blocks = read_blocks(document)
    for place, block in enumerate(blocks):
        if block.is_run:
            start = time.monotonic()
            printed = _run(block, clone, environment)
            print(f'{block.place}: {time.monotonic() - start:.0f} s')
            after = blocks[place + 1] if place + 1 < len(blocks) else None
            if after is not None and after.language == 'text':
                assert matches(after.text, printed), (
                    f'{after.place} says\n{after.text}\nbut it is\n{printed}'
                )
        elif block.title and block.language not in ('bash', 'text'):
            file = clone / block.title
            assert file.resolve().is_relative_to(clone.resolve())
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text)
    examples = [block.text for block in blocks if block.language == 'pycon']
    if examples:  # one session, as the reader has it
        _run_doctest('\n'.join(examples), clone, environment)


def _run(block, folder, environment):
    log = folder.parent / 'stderr.txt'
    with open(log, 'w') as stderr:
        done = subprocess.run(
            ['bash', '-euo', 'pipefail', '-c', block.text],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            timeout=1800,
        )
    assert done.returncode == 0, (
        f'{block.place} failed:\n{done.stdout[-3000:]}\n'
        f'{log.read_text()[-5000:]}'
    )
    # Output of the mmengine fork at import.
    return done.stdout.replace('Could not import OneDL\n', '')


# mmengine's logger keeps the stdout of its birth, and one of its modules
# prints when it is imported: neither is an example's.
_DOCTEST = """
import doctest, sys
from mmengine.logging import MMLogger
import mmpretrain.datasets
MMLogger.get_current_instance()
flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
found = doctest.testfile(sys.argv[1], module_relative=False, optionflags=flags)
sys.exit(found.failed > 0 or found.attempted == 0)
"""


def _run_doctest(text, folder, environment):
    """In a process of its own, where the reader would be."""
    file = folder.parent / 'examples.txt'
    file.write_text(text)
    done = subprocess.run(
        [sys.executable, '-c', _DOCTEST, str(file)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]
