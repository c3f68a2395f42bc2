"""Kill tools/embed_images.py again and again; compare with a quiet run.

    python tests/stress/kill_embedding.py NEW_WORK_DIR --kills 30

Images are random, the encoder is the toy CLIP of random weights. With
--ranks 2 torchrun is killed with all that it started.
"""

import argparse
import io
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ltvl_mm.clip.towers import build_clip

TOOL = Path(__file__).parents[2] / 'tools/embed_images.py'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work', type=Path)
    parser.add_argument('--kills', type=int, default=30)
    parser.add_argument('--ranks', type=int, default=1)
    args = parser.parse_args()
    write_memory(args.work, tars=4 * args.kills)
    quiet, killed = args.work / 'quiet', args.work / 'killed'
    subprocess.run(build_command(args.work, quiet), check=True)
    command = build_command(args.work, killed, ranks=args.ranks)
    rng = random.Random(0)
    kills = 0
    while kills < args.kills:
        if not run_until_killed(command, killed, rng):
            sys.exit(f'finished after {kills} kills: make it more tars')
        kills += 1
        print(f'kill {kills}: {count_parts(killed)} parts', flush=True)
    subprocess.run(command, check=True)
    equal = read_folder(killed) == read_folder(quiet)
    print(f'{kills} kills; every file equal: {equal}')
    sys.exit(not equal)


def write_memory(work: Path, *, tars: int, images: int = 8) -> None:
    """Write ``memory/*.tar``, one image in ten broken, and ``clip.pt``."""
    rng = np.random.default_rng(0)
    (work / 'memory').mkdir(parents=True)
    for number in range(tars):
        with tarfile.open(work / 'memory' / f'{number:05d}.tar', 'w') as tar:
            for place in range(images):
                data = io.BytesIO()
                pixels = rng.integers(0, 256, (40, 48, 3), np.uint8)
                Image.fromarray(pixels).save(data, 'JPEG')
                size = 200 if rng.random() < 0.1 else data.tell()
                member = tarfile.TarInfo(f'{number:05d}{place:04d}.jpg')
                member.size = size
                tar.addfile(member, io.BytesIO(data.getvalue()[:size]))
    torch.manual_seed(0)
    torch.save(build_clip('ltvl-toy').state_dict(), work / 'clip.pt')


def build_command(work: Path, out: Path, *, ranks: int = 1) -> list[str]:
    """Return the words that embed the memory of ``work`` into ``out``."""
    return [
        *build_launcher(ranks),
        *(str(TOOL), str(work / 'memory'), '-o', str(out)),
        *('--arch', 'ltvl-toy', '--pretrained', str(work / 'clip.pt')),
        *('--device', 'cpu', '--workers', '1', '--batch-size', '3'),
    ]


def build_launcher(ranks: int) -> list[str]:
    """Return the words that start a script in so many processes."""
    launcher = ['-m', 'torch.distributed.run', f'--nproc-per-node={ranks}']
    return [
        sys.executable,
        *([*launcher, '--standalone'] if ranks > 1 else []),
    ]


def run_until_killed(
    command: list[str], out: Path, rng: random.Random
) -> bool:
    """Start, and SIGKILL all at a random moment of its work.

    Returns:
        False if it was done before.
    """
    before = count_parts(out)
    process = start(command)
    # Importing torch takes seconds, in which there is nothing to disturb.
    while count_parts(out) == before and process.poll() is None:
        time.sleep(0.002)
    time.sleep(rng.uniform(0, 0.06))
    return kill(process)


def start(command: list[str]) -> subprocess.Popen:
    """Start a command that says nothing."""
    return subprocess.Popen(
        command,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill(process: subprocess.Popen) -> bool:
    """SIGKILL a process and all below; return whether it was not done."""
    # Not its group: torchrun gives each rank one of its own.
    for child in [*list_children(process.pid), process.pid]:
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return process.wait() == -signal.SIGKILL


def list_children(pid: int, *, deep: bool = True) -> list[int]:
    """Return the processes below ``pid``, by Linux's own account."""
    found = []
    for task in Path(f'/proc/{pid}/task').glob('*/children'):
        for child in map(int, task.read_text().split()):
            found += [child, *(list_children(child) if deep else ())]
    return found


def count_parts(out: Path) -> int:
    return len(list(out.glob('parts/part_*.json')))


def read_folder(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob('*')
        if path.is_file() and path.name != 'commands.jsonl'
    }


if __name__ == '__main__':
    main()
