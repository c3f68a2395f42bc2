"""Kill tools/retrieve.py again and again; compare with a quiet run.

    PYTHONPATH=tests python -m stress.kill_retrieval NEW_WORK_DIR --kills 30

Images are random, the encoder is the toy CLIP of random weights. With
--ranks 2 torchrun is killed with all that it started.
"""

import argparse
import random
import subprocess
import time
from pathlib import Path

from stress.kill_embedding import (
    build_launcher,
    kill,
    start,
    write_memory,
)

from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.retrieval.reading.shard_embedding import embed_shards
from ltvl_mm.retrieval.reading.shards import find_shards

TOOL = Path(__file__).parents[2] / 'tools/retrieve.py'
NAMES = [f'class {number}' for number in range(12)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work', type=Path)
    parser.add_argument('--kills', type=int, default=30)
    parser.add_argument('--ranks', type=int, default=1)
    args = parser.parse_args()
    write_world(args.work, tars=20)
    quiet, killed = args.work / 'quiet', args.work / 'killed'
    begin = time.monotonic()
    subprocess.run(build_command(args.work, quiet), check=True)
    seconds = time.monotonic() - begin
    command = build_command(args.work, killed, ranks=args.ranks)
    rng, finished = random.Random(0), 0
    for number in range(1, args.kills + 1):
        died = run_until_killed(command, killed, rng, seconds)
        units = count_units(killed)
        print(
            f'kill {number}: {units[0]} units, {units[1]} images', flush=True
        )
        if not died or (killed / 'manifest.parquet').exists():
            finished += 1
            check_equal(killed, quiet)
            restart(killed)
    subprocess.run(command, check=True)
    check_equal(killed, quiet)
    print(f'{args.kills} kills, done {finished + 1} times; all bytes equal')


def write_world(work: Path, *, tars: int) -> None:
    """Write a memory, its store, and the classes' names."""
    write_memory(work, tars=tars)
    (work / 'names.txt').write_text('\n'.join(NAMES) + '\n')
    clip = FrozenCLIP('ltvl-toy', str(work / 'clip.pt'))
    embed_shards(
        find_shards([str(work / 'memory')]),
        work / 'store',
        clip.encode_images,
        clip.preprocess,
        clip.identity,
        workers=0,
    )


def build_command(work: Path, out: Path, *, ranks: int = 1) -> list[str]:
    """Return the words that retrieve from the store of ``work``.

    Images are random, so that cosines are high and many count as copies:
    classes fall short and are searched again.
    """
    return [
        *build_launcher(ranks),
        *(str(TOOL), str(work / 'store'), '-o', str(out)),
        *('--class-names', str(work / 'names.txt'), '--budget', '20'),
        *('--pretrained', str(work / 'clip.pt'), '--templates', 'single'),
        *(
            '--copy-cosine',
            '0.5',
            '--copy-bits',
            '24',
            '--oversample-factor',
            '1',
        ),
        *('--min-size', '40', '--max-aspect', '1.2', '--allow-leak'),
        *('--unit-rows', '8'),
    ]


def run_until_killed(
    command: list[str], out: Path, rng: random.Random, seconds: float = 0
) -> bool:
    """Start, and SIGKILL all at a random moment of its work.

    Args:
        command: Command to start.
        out: Its folder.
        rng: Draws the moment.
        seconds: One in four kills comes at any moment of so many; the
            others soon after a file has changed, as importing torch takes
            most of the time and there is nothing to disturb then.

    Returns:
        False if it was done before.
    """
    before = count_units(out)
    process = start(command)
    if seconds and rng.random() < 0.25:
        time.sleep(rng.uniform(0, seconds))
    else:
        while count_units(out) == before and process.poll() is None:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.05))
    return kill(process)


def count_units(out: Path) -> tuple[int, int]:
    """Return how many units are done, and how many images copied."""
    return (
        len(list(out.glob('selection/*/*.npz'))),
        len(list(out.glob('images/*/*'))),
    )


def restart(out: Path) -> None:
    """Forget all but the first words, to be killed once more."""
    for path in sorted(out.rglob('*'), reverse=True):
        if path.is_dir():
            path.rmdir()
        elif path.name != 'queries.npz':
            path.unlink()


def check_equal(one: Path, other: Path) -> None:
    """Raise AssertionError unless all that a run leaves is the same."""
    found, due = read_result(one), read_result(other)
    assert found.keys() == due.keys(), found.keys() ^ due.keys()
    for name in due:
        assert found[name] == due[name], f'{name} differs'


def read_result(root: Path) -> dict[str, bytes]:
    """Return the bytes of every file, without partial results' folder.

    A kill may come between the manifest and their removal, which the next
    start makes up for.
    """
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob('*')
        if path.is_file()
        and 'selection' not in path.parts
        and path.name != 'commands.jsonl'
    }


if __name__ == '__main__':
    main()
