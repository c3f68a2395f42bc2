"""Plot per-class accuracy against training images, for one or more models.

Takes what ``tools/test.py --out metrics.json --out-item metrics`` wrote with
``ShotAccuracy(per_class=True)``.
"""

import argparse

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        'models',
        nargs='+',
        metavar='NAME=METRICS.json',
        help='models in the order of the legend',
    )
    parser.add_argument('--class-counts', required=True, help='train list')
    parser.add_argument('-o', '--out', required=True, help='PNG file')
    parser.add_argument(
        '--title', default='Accuracy by class', help='title of the picture'
    )
    return parser


def main() -> None:
    parser = build_parser()
    args = parser.parse_args()
    import numpy as np

    from ltvl_mm.structures.class_counts import load_class_counts
    from ltvl_mm.utils.io import read_json
    from ltvl_mm.visualization.class_accuracy import plot_class_accuracy

    accuracies = {}
    for model in args.models:
        name, _, file = model.rpartition('=')
        metrics = read_json(file)
        if 'shot/per_class' not in metrics:
            parser.error(
                f'{file} has no shot/per_class; test with '
                f'--cfg-options test_evaluator.per_class=True'
            )
        accuracies[name or file] = np.array(
            metrics['shot/per_class'], np.float64
        )
    counts = load_class_counts(
        args.class_counts, len(next(iter(accuracies.values())))
    )
    plot_class_accuracy(args.out, counts, accuracies, args.title)
    print(args.out)


if __name__ == '__main__':
    run_command(main)
