"""TACKLE from web images to a table, on the toy world, for some seeds.

Each stage is a command that a user could type; it is printed, its log kept,
and it is skipped when an earlier run finished it.
"""

import argparse
import fcntl
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from summary import STUDENTS, summarise

from ltvl_mm.utils.io import atomic_write, hash_content

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Stage:
    """A command, and a name that says what for."""

    name: str
    command: tuple[str, ...]


def list_stages(work: Path, seed: int, students: list[str]) -> list[Stage]:
    """Return the stages of one seed, each needing those before it."""
    world, clip = work / 'world', work / 'clip/epoch_5.pth'
    names = f'{world}/class_names.txt'
    weights = ('--arch', 'ltvl-toy', '--pretrained', str(clip))
    stages = [
        _python(
            'make the toy world',
            'tools/dataset_converters/make_toy_world.py',
            world,
            f'--seed={seed}',
        ),
        _train('pre-train CLIP', 'clip', work, seed),
        _test('test CLIP zero-shot', 'clip_zero_shot', work, clip),
        _python(
            'embed web images',
            'tools/embed_images.py',
            f'{world}/web',
            '-o',
            work / 'web',
            *weights,
        ),
        _python(
            'embed val and test images',
            'tools/embed_images.py',
            f'{world}/val.txt',
            f'{world}/test.txt',
            '-o',
            work / 'held_out',
            *weights,
        ),
        _python(
            'retrieve',
            'tools/retrieve.py',
            work / 'web',
            '-o',
            work / 'retrieved',
            f'--class-names={names}',
            '--templates=single',
            '--temperature=0.05',
            '--budget=balance_to:100',
            f'--class-counts={world}/train.txt',
            *weights[2:],
            '--exclude',
            work / 'held_out',
        ),
        _python(
            'draw retrieved images',
            'tools/visualization/contact_sheet.py',
            work / 'retrieved/manifest.parquet',
            f'--class-counts={world}/train.txt',
            '-o',
            work / 'retrieved.png',
        ),
    ]
    for student in students:
        for config in (student, f'tackle_{student}'):
            last = work / config / 'epoch_10.pth'
            stages += [
                _train(f'train {config}', config, work, seed),
                _test(f'test {config}', config, work, last),
            ]
        stages.append(
            _python(
                f'plot {student}',
                'tools/visualization/class_accuracy.py',
                f'without retrieval={work / student}/metrics.json',
                f'with retrieval={work}/tackle_{student}/metrics.json',
                f'--class-counts={world}/train.txt',
                '-o',
                work / f'accuracy_{student}.png',
            )
        )
    return stages


def claim_work_dir(work: Path) -> int:
    """Return an open lock on the folder, waiting for who holds it.

    Stages inherit it: when a run is killed, its stage goes on alone, and a
    second run must not write beside it.
    """
    work.mkdir(parents=True, exist_ok=True)
    lock = os.open(work / '.lock', os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f'waiting for another run in {work} to end', flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def run_stage(stage: Stage, work: Path, place: str, lock: int) -> None:
    """Run a stage unless it is done; exit with its log's end if it fails."""
    slug = stage.name.replace(' ', '_')
    marker, log = work / f'logs/{slug}.done', work / f'logs/{slug}.log'
    wanted = hash_content(stage.command)
    if marker.exists() and marker.read_text() == wanted:
        print(f'{place} {stage.name}: done before', flush=True)
        return
    print(
        f'{place} {stage.name}\n    {" ".join(stage.command[1:])}',
        flush=True,
    )
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        'LTVL_TOY_ROOT': str(work / 'world'),
        'LTVL_TOY_MANIFEST': str(work / 'retrieved/manifest.parquet'),
        # Library warnings are in the log; the terminal shows the bar.
        'PYTHONWARNINGS': 'ignore',
    }
    start = time.monotonic()
    with open(log, 'a', encoding='utf-8') as output:
        done = subprocess.run(
            stage.command,
            cwd=ROOT,
            env=environment,
            stdout=output,
            pass_fds=(lock,),
        )
    if done.returncode:
        tail = log.read_text(encoding='utf-8').splitlines()[-20:]
        sys.exit('\n'.join([*tail, f'"{stage.name}" failed; log: {log}']))
    with atomic_write(marker, 'w') as file:
        file.write(wanted)
    print(f'    {time.monotonic() - start:.0f} s', flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', default='work_dirs/toy_benchmark')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument(
        '--students', nargs='+', choices=STUDENTS, default=['rx']
    )
    args = parser.parse_args()
    work = Path(args.work_dir).resolve()
    start = time.monotonic()
    lock = claim_work_dir(work)
    for seed in args.seeds:
        folder = work / f'seed{seed}'
        stages = list_stages(folder, seed, args.students)
        for number, stage in enumerate(stages, 1):
            place = f'[seed {seed}, {number}/{len(stages)}]'
            run_stage(stage, folder, place, lock)
    print(f'all stages done in {time.monotonic() - start:.0f} s\n')
    print(summarise(work, args.seeds, args.students))


def _python(name: str, script: str, *args: object) -> Stage:
    return Stage(name, (sys.executable, script, *map(str, args)))


def _train(name: str, config: str, work: Path, seed: int) -> Stage:
    return _python(
        name,
        'tools/train.py',
        f'configs/toy/{config}.py',
        '--work-dir',
        work / config,
        '--resume',
        '--cfg-options',
        f'randomness.seed={seed}',
    )


def _test(name: str, config: str, work: Path, checkpoint: Path) -> Stage:
    return _python(
        name,
        'tools/test.py',
        f'configs/toy/{config}.py',
        checkpoint,
        '--work-dir',
        work / config / 'test',
        '--out',
        work / config / 'metrics.json',
        '--out-item=metrics',
    )


if __name__ == '__main__':
    main()
