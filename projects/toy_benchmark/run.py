"""TACKLE from web images to a table, on the toy world, for some seeds.

Each stage is a command that a user could type; it is printed, its log kept,
and it is skipped when an earlier run finished it.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from summary import STUDENTS, summarise

from ltvl_mm.utils.stages import (
    Stage,
    python_stage,
    run_study,
    score_stage,
    train_stage,
)


def list_stages(work: Path, seed: int, students: list[str]) -> list[Stage]:
    """Return the stages of one seed, each needing those before it."""
    world, clip = work / 'world', work / 'clip/epoch_5.pth'
    names = f'{world}/class_names.txt'
    weights = ('--arch', 'ltvl-toy', '--pretrained', str(clip))
    stages = [
        python_stage(
            'make the toy world',
            'tools/dataset_converters/make_toy_world.py',
            world,
            f'--seed={seed}',
        ),
        train_stage('pre-train CLIP', 'clip', work, seed),
        score_stage('test CLIP zero-shot', 'clip_zero_shot', work, clip),
        python_stage(
            'embed web images',
            'tools/embed_images.py',
            f'{world}/web',
            '-o',
            work / 'web',
            *weights,
        ),
        python_stage(
            'embed val and test images',
            'tools/embed_images.py',
            f'{world}/val.txt',
            f'{world}/test.txt',
            '-o',
            work / 'held_out',
            *weights,
        ),
        python_stage(
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
        python_stage(
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
                train_stage(f'train {config}', config, work, seed),
                score_stage(f'test {config}', config, work, last),
            ]
        stages.append(
            python_stage(
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


def set_environment(work: Path) -> dict[str, str]:
    """Point the toy configs to the world and the images of a seed."""
    return {
        'LTVL_TOY_ROOT': str(work / 'world'),
        'LTVL_TOY_MANIFEST': str(work / 'retrieved/manifest.parquet'),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', default='work_dirs/toy_benchmark')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument(
        '--students', nargs='+', choices=STUDENTS, default=['rx']
    )
    args = parser.parse_args()
    work = Path(args.work_dir).resolve()
    try:
        run_study(
            work,
            args.seeds,
            partial(list_stages, students=args.students),
            set_environment,
            say=partial(print, flush=True),
        )
    except RuntimeError as error:
        sys.exit(str(error))
    print(summarise(work, args.seeds, args.students))


if __name__ == '__main__':
    main()
