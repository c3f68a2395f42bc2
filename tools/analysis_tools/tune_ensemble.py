"""Choose on val how two models are mixed, then test the mixture once.

z = alpha * z_first + (1 - alpha) * scale * z_second. Takes what
``tools/test.py CONFIG CHECKPOINT --split val --out X.npz`` wrote for each
model, and what the same wrote without ``--split``, on test. The folder of the
results has the mixture's ``metrics.json`` and predictions, ``test.npz``: it is
a run that ``tools/report.py`` compares with others.
"""

import argparse
import logging
import sys
from pathlib import Path

from ltvl_mm.evaluation.mixture_grid import ALPHAS, SCALES
from ltvl_mm.structures.score_mixture import SPACES
from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    for split in ('val', 'test'):
        parser.add_argument(
            f'--{split}',
            nargs=2,
            required=True,
            metavar=('FIRST.npz', 'SECOND.npz'),
            help=f'saved predictions of both models for {split} images',
        )
    parser.add_argument('--class-counts', required=True, help='train list')
    parser.add_argument(
        '-o', '--out', required=True, help='folder of the results'
    )
    parser.add_argument(
        '--names',
        nargs=2,
        default=['student', 'clip'],
        help='names of the models in table and picture',
    )
    parser.add_argument(
        '--space', choices=SPACES, default='logit', help='what is averaged'
    )
    parser.add_argument(
        '--alphas',
        type=float,
        nargs='+',
        default=ALPHAS,
        help='weights of the first model to try, in [0, 1]',
    )
    parser.add_argument(
        '--scales',
        type=float,
        nargs='+',
        default=SCALES,
        help="factors on the second model's logits to try, > 0",
    )
    parser.add_argument(
        '--by',
        choices=('all', 'class_mean', 'few'),
        default='all',
        help='accuracy on val that chooses the mixture: of all images, the '
        'mean over classes, or of few-shot classes (default: %(default)s)',
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from mmengine.logging import print_log

    from ltvl_mm.evaluation.accuracy_table import format_accuracies
    from ltvl_mm.evaluation.mixture_search import (
        compare_mixture,
        mix_predictions,
        score_models,
        search_mixtures,
    )
    from ltvl_mm.evaluation.post_hoc import choose_setting, write_metrics
    from ltvl_mm.structures.class_counts import (
        group_classes,
        load_class_counts,
    )
    from ltvl_mm.structures.predictions import (
        check_same_images,
        load_predictions,
        save_predictions,
    )
    from ltvl_mm.utils.io import write_json
    from ltvl_mm.visualization.mixture_curve import plot_mixture_curve

    val = [load_predictions(path) for path in args.val]
    test = [load_predictions(path) for path in args.test]
    check_same_images(val, args.val)
    check_same_images(test, args.test)
    if both := set(val[0].paths) & set(test[0].paths):
        sys.exit(f'{min(both)} is in val and in test: choose on other images')
    num_classes = val[0].probabilities.shape[1]
    groups = group_classes(load_class_counts(args.class_counts, num_classes))
    rows = search_mixtures(
        val, groups, args.space, alphas=args.alphas, scales=args.scales
    )
    best = choose_setting(rows, args.by)
    val_scores = score_models(val, groups, args.names, best, args.space)
    scores = score_models(test, groups, args.names, best, args.space)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    found = {
        'space': args.space,
        'by': args.by,
        'chosen': best,
        'test': scores,
        'chosen_on_val': val_scores,
        'val': rows,
    }
    write_json(out / 'ensemble.json', found)
    write_metrics(out / 'metrics.json', scores[-1])
    mixed = mix_predictions(test, best['alpha'], best['scale'], args.space)
    save_predictions(out / 'test.npz', mixed)
    plot_mixture_curve(out / 'curve.png', rows, best, args.names)
    column = f'val {args.by}'
    table = [
        {**row, column: on_val[args.by]}
        for row, on_val in zip(scores, val_scores, strict=True)
    ]
    print(format_accuracies(table, more_columns=[column]))
    better, gain = compare_mixture(val_scores, args.by)
    print(
        f'chosen on val: alpha {best["alpha"]:g}, scale {best["scale"]:g}, '
        f'{args.space} space, {gain:+.1f} points over {better} on '
        f'{len(val[0].labels)} val images; {out}/ensemble.json, curve.png'
    )
    if gain < 0:
        print_log(
            f'on val, the best mixture is {-gain:.1f} points below {better} '
            f'alone: use {better} alone, or try other mixtures (--alphas '
            f'with 0 and 1, --scales, --space)',
            'current',
            level=logging.WARNING,
        )


if __name__ == '__main__':
    run_command(main)
