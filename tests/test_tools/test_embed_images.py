"""The tool as users start it: killed, under torchrun, for others' files."""

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from stress.kill_embedding import (
    build_command,
    count_parts,
    list_children,
    read_folder,
    run_until_killed,
    write_memory,
)

from ltvl_mm.structures.store_reader import open_store

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp('embed')
    write_memory(folder, tars=40)
    return folder


@pytest.fixture(scope='module')
def quiet(work, run_tool):
    """Bytes of the store of an embedding that was not killed."""
    log = run_tool(*build_command(work, work / 'quiet'))
    store = open_store(work / 'quiet')
    bad = sum(len(part.bad) for part in store.parts)
    assert f'{len(store)} images in {work}/quiet; {bad} could' in log
    assert len(store) + bad == 40 * 8
    assert bad
    return read_folder(work / 'quiet')


def test_killed_at_random_moments_it_ends_with_the_same_bytes(
    work, quiet, tmp_path, monkeypatch
):
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    command = build_command(work, tmp_path)
    rng = random.Random(0)
    for _ in range(5):
        assert run_until_killed(command, tmp_path, rng)
    assert 5 <= count_parts(tmp_path) < 40
    assert not (tmp_path / 'store.json').exists()
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    assert read_folder(tmp_path) == quiet


def test_two_ranks_of_which_one_dies_and_then_three_write_the_same_bytes(
    work, quiet, tmp_path, run_tool, monkeypatch
):
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    process = subprocess.Popen(
        build_command(work, tmp_path, ranks=2),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while count_parts(tmp_path) < 4 and process.poll() is None:
        time.sleep(0.002)
    os.kill(list_children(process.pid, deep=False)[1], signal.SIGKILL)
    assert process.wait(timeout=100)
    assert 4 <= count_parts(tmp_path) < 40
    log = run_tool(*build_command(work, tmp_path, ranks=3))
    assert read_folder(tmp_path) == quiet
    assert log.count('images in') == 1


def test_two_ranks_share_what_is_missing_evenly(
    work, quiet, tmp_path, run_tool
):
    # The second of two has died before: 1, 3, 5, ... are missing, and one was
    # under way. Dealt by number, they would all be the second's again.
    for name, data in quiet.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / 'store.json').unlink()
    for number in range(1, 40, 2):
        (tmp_path / 'parts' / f'part_{number:02d}.json').unlink()
    left = tmp_path / 'img_emb' / '.img_emb_01.npy.x.tmp'
    left.touch()
    os.utime(left, (0, 0))  # no writer in its name: its age counts
    log = run_tool(*build_command(work, tmp_path, ranks=2))
    assert read_folder(tmp_path) == quiet
    assert 'rank 0 of 2' in log
    assert 'shard 10/10' in log


def test_what_others_embedded_is_indexed_by_the_tool(
    work, quiet, tmp_path, run_tool
):
    # Ours without our headers is a folder of clip-retrieval.
    for name, data in quiet.items():
        if name.startswith(('img_emb/', 'metadata/')):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(data)
    encoder = ('--arch', 'ltvl-toy', '--pretrained', work / 'clip.pt')
    tool = ROOT / 'tools' / 'index_store.py'
    log = run_tool('python', tool, tmp_path, *encoder)
    store, ours = open_store(tmp_path), open_store(work / 'quiet')
    assert f'{len(ours)} embeddings of width {ours.dim} in 40 files' in log
    assert store.encoder == ours.encoder
    rows = np.arange(len(ours))
    assert np.array_equal(store.read_rows(rows), ours.read_rows(rows))
    assert store.read_metadata(rows) == ours.read_metadata(rows)
    assert json.loads((tmp_path / 'store.json').read_text())['rows'] == len(
        ours
    )
