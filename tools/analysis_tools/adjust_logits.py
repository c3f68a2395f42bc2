"""Post-hoc logit adjustment and PC softmax of saved predictions.

Takes what ``tools/test.py CONFIG CHECKPOINT --split val --out V.npz`` wrote,
and the same without ``--split``. Tau is chosen on val; all are tested once.
"""

import argparse
import sys
from pathlib import Path

from ltvl_mm.evaluation.logit_adjustment import TAUS
from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    for split in ('val', 'test'):
        parser.add_argument(
            f'--{split}',
            required=True,
            metavar='PREDICTIONS.npz',
            help=f'saved predictions for {split} images',
        )
    parser.add_argument('--class-counts', required=True, help='train list')
    parser.add_argument(
        '--manifest',
        help='manifest of retrieved images in the training data (default: '
        'none)',
    )
    parser.add_argument(
        '--counts',
        choices=('all', 'probability'),
        default='all',
        help='weight of a retrieved image in the counts: that of a target '
        'image, or its probability, as trained with --recipe weighted '
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--test-counts',
        help='list or .json of images per class of the test set, if it is '
        'known and not uniform (default: uniform)',
    )
    parser.add_argument(
        '--taus', type=float, nargs='+', default=TAUS, help='values to try'
    )
    parser.add_argument(
        '-o', '--out', required=True, help='folder of the results'
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from ltvl_mm.evaluation.accuracy_table import format_accuracies
    from ltvl_mm.evaluation.logit_adjustment import (
        adjust_logits,
        count_trained_images,
    )
    from ltvl_mm.evaluation.post_hoc import (
        choose_setting,
        score_methods,
        search_taus,
    )
    from ltvl_mm.structures.class_counts import (
        group_classes,
        load_class_counts,
    )
    from ltvl_mm.structures.manifest_file import load_manifest
    from ltvl_mm.structures.predictions import load_predictions
    from ltvl_mm.utils.io import write_json

    if args.counts != 'all' and not args.manifest:
        raise ValueError(
            f'--counts {args.counts} counts retrieved images, but there is no '
            f'--manifest; give the one that was trained with'
        )
    val, test = load_predictions(args.val), load_predictions(args.test)
    classes = val.probabilities.shape[1]
    counts = load_class_counts(args.class_counts, classes)
    trained = counts
    if args.manifest:
        trained = count_trained_images(
            counts,
            load_manifest(args.manifest),
            by_probability=args.counts == 'probability',
        )
    prior = args.test_counts and load_class_counts(
        args.test_counts, classes, images='test'
    )
    if both := set(val.paths) & set(test.paths):
        sys.exit(f'{min(both)} is in val and in test: choose on other images')
    groups = group_classes(counts)
    rows = search_taus(
        lambda tau: adjust_logits(val, trained, tau).argmax(1),
        args.taus,
        val.labels,
        groups,
    )
    best = choose_setting(rows)

    def predict(tau: float) -> object:
        scores = adjust_logits(test, trained, tau, test_prior=prior)
        return scores.argmax(1)

    preds = {
        'as trained': test.probabilities.argmax(1),
        'logit adjustment': predict(best['tau']),
        'PC softmax': predict(1.0),
    }
    scores = score_methods(preds, test.labels, groups)
    write_json(
        Path(args.out) / 'adjustment.json',
        {'chosen': best, 'test': scores, 'val': rows},
    )
    print(format_accuracies(scores))
    print(f'chosen on val: tau {best["tau"]:g}; {args.out}/adjustment.json')


if __name__ == '__main__':
    run_command(main)
