"""Other classifiers of trained features: tau-normalised, nearest class mean.

Takes what ``save_features.py`` wrote of each split. Tau is chosen on val, or
without one on the training images; all are tested once.
"""

import argparse
import sys
from pathlib import Path

from ltvl_mm.evaluation.accuracy_table import format_accuracies
from ltvl_mm.evaluation.post_hoc import score_methods, write_metrics
from ltvl_mm.evaluation.tau_normalization import (
    TAUS,
    choose_tau,
    predict_nearest_mean,
    predict_tau_normalized,
)
from ltvl_mm.structures.class_counts import group_classes, load_class_counts
from ltvl_mm.structures.features import load_features
from ltvl_mm.utils.checkpoints import read_weights
from ltvl_mm.utils.io import write_json


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for split in ('train', 'test'):
        parser.add_argument(
            f'--{split}', required=True, metavar='FEATURES.npz'
        )
    parser.add_argument(
        '--val',
        metavar='FEATURES.npz',
        help='none: tau of the least class-balanced log-loss on train',
    )
    parser.add_argument(
        '--checkpoint', required=True, help='file, or folder of the training'
    )
    parser.add_argument(
        '--layer', default='head.fc', help='its classifier in the checkpoint'
    )
    parser.add_argument('--class-counts', required=True, help='train list')
    parser.add_argument('--taus', type=float, nargs='+', default=TAUS)
    parser.add_argument('-o', '--out', required=True, help='folder')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    try:
        train, test = map(load_features, (args.train, args.test))
        val = None if args.val is None else load_features(args.val)
        state = read_weights(args.checkpoint)
        weights = state[f'{args.layer}.weight'].numpy()
        groups = group_classes(
            load_class_counts(args.class_counts, len(weights))
        )
        search = choose_tau(weights, args.taus, train, val, groups)
    except KeyError:
        sys.exit(
            f'{args.checkpoint} has no {args.layer}.weight; name it: --layer'
        )
    except ValueError as error:
        sys.exit(str(error))
    tau = search['chosen']['tau']
    bias = state.get(f'{args.layer}.bias')
    trained = test.features @ weights.T + (0 if bias is None else bias.numpy())
    preds = {
        'as trained': trained.argmax(1),
        'tau-normalized': predict_tau_normalized(test, weights, tau),
        'NCM': predict_nearest_mean(train, test),
    }
    scores = score_methods(preds, test.labels, groups)
    out = Path(args.out)
    write_json(out / 'classifiers.json', {**search, 'test': scores})
    for row in scores:
        # As tools/test.py writes it, for tables and plots.
        write_metrics(out / row['method'] / 'metrics.json', row)
    print(format_accuracies(scores))
    print(
        f'chosen by {search["chosen_by"]}: tau {tau:g}; {out}/classifiers.json'
    )


if __name__ == '__main__':
    main()
