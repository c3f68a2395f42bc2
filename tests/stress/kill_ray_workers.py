"""Kill workers of a Ray cluster while it embeds and retrieves.

    PYTHONPATH=tests python -m stress.kill_ray_workers NEW_WORK_DIR --kills 10

Embeds tars on a local Ray cluster with 2 CPUs while a worker is killed by
SIGKILL at random, then retrieves likewise; compares every file with that of
the local engine. With --url the tars are copied to a folder of an object
store, e.g. s3://bucket/memory, and Ray reads them there; then everything but
the recorded places of the tars is compared. The last line is JSON.
"""

import argparse
import json
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from stress.kill_embedding import list_children, read_folder, write_memory
from stress.kill_retrieval import NAMES, check_equal

import ltvl_mm
from ltvl_mm.retrieval.options import RetrievalOptions

TASKS = {
    'embed': ('ray::_Encoder.embed', 'ray::_decode'),
    'retrieve': ('ray::_find', 'ray::_merge', 'ray::_check'),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work', type=Path)
    parser.add_argument('--kills', type=int, default=10)
    parser.add_argument('--tars', type=int, default=50)
    parser.add_argument('--images', type=int, default=24)
    parser.add_argument('--url', help='folder of an object store (fsspec)')
    args = parser.parse_args()
    import ray

    work, rng = args.work, random.Random(0)
    write_memory(work, tars=args.tars, images=args.images)
    (work / 'names.txt').write_text('\n'.join(NAMES) + '\n')
    inputs = upload(work / 'memory', args.url) if args.url else work / 'memory'
    os.environ['RAY_USAGE_STATS_ENABLED'] = '0'
    os.environ['RAY_worker_niceness'] = '0'
    ray.init(num_cpus=2, include_dashboard=False, logging_level='ERROR')
    embed(work, work / 'memory', work / 'quiet')
    found = {
        'embed': disturb(
            'embed',
            lambda out: embed(work, inputs, out, engine='ray'),
            lambda out: compare_stores(out, work / 'quiet', args.url),
            work / 'killed',
            args.kills,
            rng,
        )
    }
    retrieve(work, work / 'quiet_retrieved')
    found['retrieve'] = disturb(
        'retrieve',
        lambda out: retrieve(work, out, engine='ray'),
        lambda out: check_equal(out, work / 'quiet_retrieved'),
        work / 'killed_retrieved',
        args.kills,
        rng,
    )
    print(json.dumps({'tars': args.tars, **found}))


def embed(
    work: Path, inputs: object, out: Path, engine: str = 'local'
) -> None:
    """Embed tars with the toy CLIP of ``work``."""
    ltvl_mm.embed(
        str(inputs),
        out,
        arch='ltvl-toy',
        pretrained=str(work / 'clip.pt'),
        device='cpu',
        batch_size=3,
        workers=1,
        engine=engine,
    )


def retrieve(work: Path, out: Path, engine: str = 'local') -> None:
    """Retrieve from the store ``quiet`` in many units."""
    ltvl_mm.retrieve(
        work / 'quiet',
        out,
        ltvl_mm.RetrievalSettings(
            class_names=work / 'names.txt',
            exclude=None,
            budget=20,
            pretrained=str(work / 'clip.pt'),
            templates='single',
            options=RetrievalOptions(temperature=0.01),
            unit_rows=10,
        ),
        engine=engine,
    )


def disturb(
    kind: str,
    run: Callable[[Path], None],
    check: Callable[[Path], None],
    out: Path,
    kills: int,
    rng: random.Random,
) -> dict:
    """Run and check, while workers are killed; again until there are enough.

    Returns:
        Number of kills, runs and seconds, and the names of what was killed.
    """
    begin, runs = time.monotonic(), 0
    killed: list[str] = []
    while len(killed) < kills:
        stop = threading.Event()
        killer = threading.Thread(
            target=kill_workers, args=(kind, stop, killed, kills, rng)
        )
        killer.start()
        try:
            run(out)
        finally:
            stop.set()
            killer.join()
        check(out)
        shutil.rmtree(out)
        runs += 1
        print(f'{kind}: run {runs}, {len(killed)} kills, equal', flush=True)
    return {
        'kills': len(killed),
        'runs': runs,
        'seconds': round(time.monotonic() - begin),
        'killed': {name: killed.count(name) for name in sorted(set(killed))},
    }


def kill_workers(
    kind: str,
    stop: threading.Event,
    killed: list[str],
    kills: int,
    rng: random.Random,
) -> None:
    """SIGKILL a random worker that is at work, again and again.

    Args:
        kind: Key of TASKS.
        stop: Set when the run has ended.
        killed: Gets the name of each task whose worker was killed.
        kills: Length of ``killed`` at which to end.
        rng: Draws workers and moments.
    """
    wait = {'embed': 2.0, 'retrieve': 0.3}[kind]
    while len(killed) < kills and not stop.wait(rng.uniform(0, wait)):
        # Not more than its share of one kind, so that each kind is killed.
        share = kills // len(TASKS[kind]) + 1
        names = [n for n in TASKS[kind] if killed.count(n) < share]
        busy = find_workers(names)
        if busy:
            pid, name = rng.choice(busy)
            os.kill(pid, signal.SIGKILL)
            killed.append(name)


def find_workers(names: Sequence[str]) -> list[tuple[int, str]]:
    """Return (process, task) of the cluster's workers that run some tasks."""
    found = []
    for pid in list_children(os.getpid()):
        try:
            title = Path(f'/proc/{pid}/cmdline').read_bytes().decode()
        except OSError:  # it has ended
            continue
        for name in names:
            if title.startswith(name):
                found.append((pid, name))
    return found


def upload(folder: Path, url: str) -> str:
    """Copy tars to a folder of an object store; return their pattern."""
    import fsspec

    system, root = fsspec.url_to_fs(url)
    for tar in sorted(folder.glob('*.tar')):
        system.put_file(str(tar), f'{root}/{tar.name}')
    return f'{url}/*.tar'


def compare_stores(out: Path, due: Path, url: str | None) -> None:
    """Raise AssertionError unless two stores are equal.

    Args:
        out: Folder of a store.
        due: Folder of the store that is expected.
        url: Place of the tars of ``out`` if it is another than that of
            ``due``; their names are then left out of the comparison.
    """
    if url is None:
        found, expected = read_folder(out), read_folder(due)
        assert found.keys() == expected.keys()
        for name in expected:
            assert found[name] == expected[name], f'{name} differs'
        return
    for file in sorted(due.glob('img_emb/*')):
        assert np.array_equal(
            np.load(file), np.load(out / 'img_emb' / file.name)
        )
    for file in sorted(due.glob('metadata/*')):
        one, other = (
            pq.read_table(root / 'metadata' / file.name).drop(['source'])
            for root in (out, due)
        )
        assert one.equals(other), f'{file.name} differs'


if __name__ == '__main__':
    main()
