"""Two identical commands at once: one finishes, the other says why not."""

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tools_in_process import run_tool_here
from toy_clip import write_toy_classifier

import ltvl_mm
from ltvl_mm.clip.towers import build_clip
from ltvl_mm.utils.lock import locked_file, locked_folder

ROOT = Path(__file__).parents[2]
# Imports take seconds: both processes then start at the same moment.
RUN = """
import runpy, sys, time
from pathlib import Path
import ltvl_mm
tool, go = Path(sys.argv[1]), Path(sys.argv[2])
sys.argv = [str(tool), *sys.argv[3:]]
sys.path.insert(0, str(tool.parent))
from ltvl_mm.apis import embed
print('ready', flush=True)
while not go.exists():
    time.sleep(0.001)
runpy.run_path(str(tool), run_name='__main__')
"""


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    """Images, an encoder, class names and a store, made quietly."""
    root = tmp_path_factory.mktemp('two')
    rng = np.random.default_rng(0)
    (root / 'web').mkdir()
    for number in range(40):
        pixels = rng.integers(0, 256, (24, 24, 3), np.uint8)
        Image.fromarray(pixels).save(root / f'web/{number:02d}.png')
    torch.manual_seed(0)
    torch.save(build_clip('ltvl-toy', None).state_dict(), root / 'clip.pt')
    (root / 'names.txt').write_text('cat\ndog\nowl\n')
    ltvl_mm.embed(
        root / 'web',
        root / 'store',
        arch='ltvl-toy',
        pretrained=str(root / 'clip.pt'),
        shard_size=4,
        batch_size=4,
        workers=0,
    )
    return root


def run_two(tmp_path, tool, *words):
    """Start a command twice at one moment; return exit codes and errors."""
    runs = [
        subprocess.Popen(
            [sys.executable, '-c', RUN, ROOT / tool, tmp_path / 'go', *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, 'PYTHONPATH': str(ROOT)},
        )
        for _ in range(2)
    ]
    for run in runs:
        assert run.stdout.readline() == 'ready\n'
    (tmp_path / 'go').touch()
    errors = [run.communicate(timeout=120)[1] for run in runs]
    return sorted(zip([r.returncode for r in runs], errors, strict=True))


def check_one_wins(ended, out):
    (won, _), (lost, error) = ended
    assert (won, lost) == (0, 1), error
    last = error.strip().splitlines()[-1]
    assert f'{out} is being written by process' in last
    assert not list(out.rglob('.*'))  # neither locks nor temporary files


def read_files(root):
    return {
        path.relative_to(root): path.read_bytes()
        for path in root.rglob('*')
        if path.is_file() and path.name != 'commands.jsonl'
    }


def test_two_embeddings_at_once(world, tmp_path):
    words = (world / 'web', '-o', tmp_path / 'out', '--arch', 'ltvl-toy')
    ended = run_two(
        tmp_path,
        'tools/embed_images.py',
        *words,
        *('--pretrained', world / 'clip.pt', '--workers', '0'),
        *('--shard-size', '4', '--batch-size', '4'),
    )
    check_one_wins(ended, tmp_path / 'out')
    assert read_files(tmp_path / 'out') == read_files(world / 'store')


def test_two_retrievals_at_once(world, tmp_path):
    ended = run_two(
        tmp_path,
        'tools/retrieve.py',
        *(world / 'store', '-o', tmp_path / 'out', '--allow-leak'),
        *('--class-names', world / 'names.txt', '--budget', '5'),
        *('--pretrained', world / 'clip.pt', '--templates', 'single'),
        *('--unit-rows', '4'),
    )
    check_one_wins(ended, tmp_path / 'out')
    ltvl_mm.retrieve(
        world / 'store',
        tmp_path / 'quiet',
        ltvl_mm.RetrievalSettings(
            class_names=world / 'names.txt',
            exclude=None,
            budget='5',
            templates='single',
            pretrained=str(world / 'clip.pt'),
            unit_rows=4,
        ),
    )
    assert read_files(tmp_path / 'out') == read_files(tmp_path / 'quiet')


# The others: tool -> (its words, what it locks). ``{...}`` is filled in.
OTHERS = {
    'tools/report.py': (['{root}/run', '-o', '{out}'], locked_file),
    'tools/test.py': (
        ['{configs}/clip_zero_shot/clip_zero_shot.py', '{root}/clf.pth',
         '--out', '{out}', '--out-item', 'metrics',
         '--work-dir', '{root}/test'],
        locked_file,
    ),
    'tools/cache_features.py': (
        ['{configs}/ballad/ballad_b.py', '-o', '{out}', '--splits', 'test',
         '--cfg-options', 'model.backbone.pretrained={root}/clf.pth'],
        lambda out: locked_folder(out / 'test'),
    ),
    'tools/train.py': (
        ['{configs}/cross_entropy/cross_entropy_deit.py',
         '--work-dir', '{out}'],
        locked_folder,
    ),
    'tools/place_downloads.py': (['{out}', '{root}/web'], locked_folder),
    'tools/dataset_converters/index_captions.py': (
        ['{root}/web', '-o', '{out}', '--workers', '0'],
        locked_folder,
    ),
}  # fmt: skip


@contextmanager
def hold(lock, out):
    """Hold a lock in another thread, as another command does."""
    taken, done = threading.Event(), threading.Event()

    def run():
        with lock(out):
            taken.set()
            done.wait(60)

    thread = threading.Thread(target=run)
    thread.start()
    assert taken.wait(60)
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize('tool', OTHERS)
def test_a_second_command_says_who_writes(
    tool, world, tmp_path, toy_home, monkeypatch
):
    monkeypatch.chdir(toy_home)
    if not (world / 'clf.pth').exists():
        write_toy_classifier(world / 'clf.pth')
        (world / 'run').mkdir()
        (world / 'run/metrics.json').write_text('{"accuracy/top1": 50.0}')
    words, lock = OTHERS[tool]
    out = tmp_path / 'out'
    names = dict(root=world, out=out, configs=ROOT / 'configs/toy')
    with (
        hold(lock, out),
        pytest.raises(
            SystemExit,
            match=rf'{out}\S* is being written by process {os.getpid()}',
        ),
    ):
        run_tool_here(
            tool.removeprefix('tools/'), *(w.format(**names) for w in words)
        )
