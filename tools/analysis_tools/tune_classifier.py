"""Other classifiers on trained features: tau-normalized, nearest class mean.

Takes the features that ``save_features.py`` saved of each split, of a model
whose logits are w f + b or, as ResLT's, a tau-normalized classifier: not
cosines, not the mean of several experts. Tau (ResLT's gamma) is chosen on val,
or without val on the training images; all classifiers are tested once.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ltvl_mm.evaluation.tau_normalization import (
    TAUS,
    choose_tau,
    predict_nearest_mean,
    predict_tau_normalized,
)
from ltvl_mm.structures.features import Features, load_features
from ltvl_mm.utils.command_line import make_parser, run_command

if TYPE_CHECKING:
    import torch


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    for split in ('train', 'test'):
        parser.add_argument(
            f'--{split}',
            required=True,
            metavar='FEATURES.npz',
            help=f'saved features of {split} images',
        )
    parser.add_argument(
        '--val',
        metavar='FEATURES.npz',
        help='saved features of val images (default: none; tau of the least '
        'class-balanced log-loss on train)',
    )
    parser.add_argument(
        '--checkpoint', required=True, help='file, or folder of the training'
    )
    parser.add_argument('--class-counts', required=True, help='train list')
    parser.add_argument(
        '--taus', type=float, nargs='+', default=TAUS, help='values to try'
    )
    parser.add_argument(
        '-o', '--out', required=True, help='folder of the results'
    )
    return parser


def find_classifier(splits: dict[str, Features]) -> str:
    """Return the linear layer that maps the features of all files to logits.

    Raises:
        ValueError: If a file names none, or another than the first.
    """
    first = next(iter(splits.values())).classifier
    for file, features in splits.items():
        if not features.classifier:
            raise ValueError(
                f'{file} names no linear layer that gives the logits of the '
                f'model: its head scales, normalizes or mixes logits, or the '
                f'file is older than this check; save it again with '
                f'save_features.py'
            )
        if features.classifier != first:
            raise ValueError(
                f'the files are of different classifiers: {file} of '
                f'{features.classifier}, expected {first}'
            )
    return first


def predict_as_trained(
    test: Features, weights: np.ndarray, bias: 'torch.Tensor | None'
) -> np.ndarray:
    """Return the (N,) classes that the model itself predicts.

    Args:
        test: Features of N images.
        weights: (K, F) weights of the classifier.
        bias: (K,) bias, or None.
    """
    if test.tau is not None:
        return predict_tau_normalized(test, weights, test.tau)
    shift = 0 if bias is None else bias.numpy()
    return (test.features @ weights.T + shift).argmax(1)


def main() -> None:
    args = build_parser().parse_args()
    from ltvl_mm.evaluation.accuracy_table import format_accuracies
    from ltvl_mm.evaluation.post_hoc import score_methods, write_metrics
    from ltvl_mm.structures.class_counts import (
        group_classes,
        load_class_counts,
    )
    from ltvl_mm.utils.checkpoints import read_weights
    from ltvl_mm.utils.io import write_json

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
    preds = {
        'as trained': predict_as_trained(
            test, weights, state.get(f'{layer}.bias')
        ),
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
    if test.tau is not None:
        print(
            f'the model has gamma={test.tau:g}; to test it with this one, add '
            f'--cfg-options model.head.gamma={tau:g}'
        )


if __name__ == '__main__':
    run_command(main)
