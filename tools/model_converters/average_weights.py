"""Average the weights of several trainings of one config.

Without --merge: the mean, or with --weights a weighted mean, as one
checkpoint. With --merge M, as LT-Soups: rounds w <- (1 - M) w + M w_f from
the weights of --start, where w_f is the mean of the next --per-round
trainings; OUT is then a folder with round_0.pth, round_1.pth, ... Runs of
subsets must be in the order of their imbalance.
"""

import argparse
from pathlib import Path

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        'runs',
        nargs='+',
        metavar='RUN',
        help='checkpoint, or folder of a training (its best checkpoint, else '
        'its last)',
    )
    parser.add_argument(
        '-o',
        '--out',
        required=True,
        help='output file, .pth, .pt or .safetensors; folder with --merge',
    )
    parser.add_argument(
        '--weights',
        type=float,
        nargs='+',
        metavar='W',
        help='weight of each run, >= 0 (default: equal weights)',
    )
    parser.add_argument(
        '--merge',
        type=float,
        metavar='M',
        help='share of each new round, in (0, 1]; 0.7 in LT-Soups (default: '
        'no rounds)',
    )
    parser.add_argument(
        '--start',
        metavar='CONFIG_OR_RUN',
        help='weights to begin the rounds with: a config, for its initial '
        'weights, or a checkpoint (default: none; --merge needs it)',
    )
    parser.add_argument(
        '--per-round',
        type=int,
        default=1,
        metavar='N',
        help='runs whose mean is a round (default: %(default)s)',
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from ltvl_mm.apis.weight_soup import average_runs, merge_runs

    if args.merge is None:
        if args.start is not None or args.per_round != 1:
            raise ValueError('--start and --per-round need --merge')
        average_runs(args.runs, args.out, weights=args.weights)
        print(f'mean of {len(args.runs)} runs: {args.out}')
        return
    if args.start is None or args.weights is not None:
        raise ValueError('--merge needs --start, and takes no --weights')
    for file in merge_runs(
        args.runs,
        Path(args.out),
        start=args.start,
        momentum=args.merge,
        per_round=args.per_round,
    ):
        print(file)


if __name__ == '__main__':
    run_command(main)
