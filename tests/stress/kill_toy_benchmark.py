"""Kill the toy benchmark once in every stage; compare with a quiet run.

    python tests/stress/kill_toy_benchmark.py QUIET_WORK_DIR NEW_WORK_DIR

QUIET_WORK_DIR holds a finished run of the same seed that nothing disturbed.
Takes as long as a quiet run and a bit: stages go on where they were killed.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from ltvl_mm.utils.io import hash_file, read_json

RUN = Path(__file__).parents[2] / 'projects/toy_benchmark/run.py'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('quiet')
    parser.add_argument('work')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--longest', type=float, default=25.0)
    args = parser.parse_args()
    rng = random.Random(0)
    kills, stage = 0, 1
    while True:
        delay = rng.uniform(0.5, args.longest)
        reached = run_until(args.work, args.seed, stage, delay)
        if reached is None:
            break
        kills += reached
        stage += 1
    same_manifest, same_table = (
        compare(args.quiet, args.work, args.seed) if kills else (False, False)
    )
    print(
        f'{kills} kills; manifest equal: {same_manifest}, '
        f'table equal: {same_table}'
    )
    sys.exit(not (same_manifest and same_table))


def run_until(work: str, seed: int, stage: int, delay: float) -> bool | None:
    """Run until ``delay`` seconds into a stage, then SIGKILL everything.

    Returns None when the run ended by itself because it has no such stage,
    False when the stage was over before the kill.
    """
    process = subprocess.Popen(
        [
            *(sys.executable, RUN, '--work-dir', work),
            *('--seeds', str(seed), '--jobs', '1'),
        ],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for line in process.stdout:
        place = re.match(r'\[seed \d+, (\d+)/(\d+)\]', line)
        if place and int(place[1]) >= stage:
            break
    else:
        if process.wait():
            sys.exit('the run failed')
        return None
    over = int(place[1]) > stage or 'done before' in line
    if not over:
        time.sleep(delay)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    print(f'killed in {line.strip()}, {delay:.1f} s', flush=True)
    return not over


def compare(quiet: str, work: str, seed: int) -> tuple[bool, bool]:
    manifests, tables = [], []
    for folder in (quiet, work):
        manifests.append(
            hash_file(
                Path(folder, f'seed{seed}/data/retrieved/manifest.parquet')
            )
        )
        rows = read_json(Path(folder, 'results.json'))['rows']
        tables.append([row for row in rows if row['seed'] == seed])
    return manifests[0] == manifests[1], tables[0] == tables[1]


if __name__ == '__main__':
    main()
