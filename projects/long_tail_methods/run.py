"""Every long-tail method with one student and one schedule, on the toy world.

Without and with retrieved images. Each stage is a command that a user could
type; it is printed, its log kept, and it is skipped when an earlier run
finished it.
"""

import argparse
from functools import partial
from pathlib import Path

from summary import (
    IN_A_VIT,
    POST_HOC,
    TRAINED,
    WITH_RETRIEVAL,
    name_configs,
    summarise,
)

from ltvl_mm.utils.command_line import (
    add_study_options,
    make_parser,
    run_command,
)
from ltvl_mm.utils.stages import (
    Stage,
    classifier_stages,
    python_stage,
    run_study,
    score_stage,
    train_stage,
)
from ltvl_mm.utils.toy_stages import (
    list_retrieval_stages,
    list_world_stages,
    set_toy_environment,
)


def list_stages(work: Path, seed: int, methods: list[str]) -> list[Stage]:
    """Return the stages of one seed, each needing those before it."""
    stages = [*list_world_stages(work, seed), *list_retrieval_stages(work)]
    if IN_A_VIT & set(methods):
        stages.append(
            train_stage('pre-train CLIP with a ViT', 'clip_vit', work, seed)
        )
    for retrieval in (False, True):
        # The plain one first: second stages begin with it.
        names = ['rx', *(name for name in methods if name != 'rx')]
        for method in [*names, *(WITH_RETRIEVAL if retrieval else ())]:
            configs = name_configs(method, retrieval=retrieval)
            stages += [
                train_stage(f'train {Path(config).name}', config, work, seed)
                for config in configs
            ]
            last = configs[-1]
            stages.append(
                score_stage(f'test {Path(last).name}', last, work, work / last)
            )
        stages += _list_post_hoc_stages(work, retrieval=retrieval)
        if 'reslt' in methods:
            (config,) = name_configs('reslt', retrieval=retrieval)
            folder = work / config
            stages += classifier_stages(
                f'configs/toy/{config}.py',
                folder,
                work / 'world/train.txt',
                folder / 'post_hoc',
            )
    # One that two methods begin with is run once.
    return list({stage.name: stage for stage in stages}.values())


def _list_post_hoc_stages(work: Path, *, retrieval: bool) -> list[Stage]:
    """Save what the plain student says, and make other answers of it."""
    (student,) = name_configs('rx', retrieval=retrieval)
    config, folder = f'configs/toy/{student}.py', work / student
    counts, out = work / 'world/train.txt', folder / 'post_hoc'
    predict = python_stage(  # those of test are there
        f'predictions of {student}, val',
        'tools/test.py',
        *(config, folder, '--split=val'),
        *('--work-dir', folder / 'test', '--out', folder / 'val.npz'),
    )
    adjust = python_stage(
        f'adjust_logits of {student}',
        'tools/analysis_tools/adjust_logits.py',
        *('--val', folder / 'val.npz', '--test', folder / 'test.npz'),
        f'--class-counts={counts}',
        *(['--manifest', work / 'retrieved/manifest.parquet'] * retrieval),
        *('-o', out),
    )
    classifiers = classifier_stages(config, folder, counts, out)
    return [predict, adjust, *classifiers]


def set_environment(work: Path) -> dict[str, str]:
    """Point second stages to the first ones of the seed."""
    return {
        **set_toy_environment(work),
        'LTVL_TOY_STAGE_1': str(work / 'rx'),
        'LTVL_TOY_TACKLE_STAGE_1': str(work / 'tackle_rx'),
        'LTVL_TOY_RIDE': str(work / 'baselines/ride'),
        'LTVL_TOY_TACKLE_RIDE': str(work / 'baselines/tackle_ride'),
        'LTVL_TOY_TEACHER': str(work / 'baselines/ride6'),
        'LTVL_TOY_TACKLE_TEACHER': str(work / 'baselines/tackle_ride6'),
        'LTVL_TOY_TACKLE_PHASE_A': str(work / 'tackle_ballad_a/epoch_5.pth'),
    }


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.epilog = (
        f'Made of the plain student in any case: {", ".join(POST_HOC)}'
    )
    add_study_options(parser, 'work_dirs/long_tail_methods')
    parser.add_argument(
        '--methods',
        nargs='+',
        choices=TRAINED,
        default=list(TRAINED),
        help='methods to train (default: all)',
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    work = Path(args.work_dir).resolve()
    run_study(
        work,
        args.seeds,
        partial(list_stages, methods=args.methods),
        set_environment,
        say=partial(print, flush=True),
    )
    print(summarise(work, args.seeds, args.methods))


if __name__ == '__main__':
    run_command(main)
