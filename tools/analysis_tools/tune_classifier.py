"""Other classifiers of trained features: tau-normalised, nearest class mean.

Takes what ``save_features.py`` wrote of each split of a model whose logits are
w f + b: not scaled, not cosines, not the mean of several. Tau is chosen on
val, or without one on the training images; all are tested once.
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
from ltvl_mm.structures.features import Features, load_features
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
    parser.add_argument('--class-counts', required=True, help='train list')
    parser.add_argument('--taus', type=float, nargs='+', default=TAUS)
    parser.add_argument('-o', '--out', required=True, help='folder')
    return parser.parse_args()


def find_classifier(splits: dict[str, Features]) -> str:
    """Return the linear layer that answers by the features of all files.

    Raises:
        ValueError: If a file names none, or another than the first.
    """
    first = next(iter(splits.values())).classifier
    for file, features in splits.items():
        if not features.classifier:
            raise ValueError(
                f'{file} names no linear layer whose w f + b the model '
                f'answers: its head scales, normalises or mixes logits, or '
                f'the file is older than this check and is to be saved again'
            )
        if features.classifier != first:
            raise ValueError(
                f'the files are of different classifiers: {file} of '
                f'{features.classifier}, expected {first}'
            )
    return first


def main() -> None:
    args = parse_args()
    try:
        train, test = map(load_features, (args.train, args.test))
        val = None if args.val is None else load_features(args.val)
        layer = find_classifier(
            {args.train: train, args.test: test}
            | ({} if val is None else {args.val: val})
        )
        state = read_weights(args.checkpoint)
        weights = state[f'{layer}.weight'].numpy()
        groups = group_classes(
            load_class_counts(args.class_counts, len(weights))
        )
        search = choose_tau(weights, args.taus, train, val, groups)
    except KeyError:
        sys.exit(
            f'{args.checkpoint} has no {layer}.weight, the classifier of '
            f'{args.train}; give the checkpoint of the features'
        )
    except ValueError as error:
        sys.exit(str(error))
    tau = search['chosen']['tau']
    bias = state.get(f'{layer}.bias')
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
