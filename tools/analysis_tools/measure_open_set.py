"""OLTR's open-set protocol: images of no known class among the others.

Takes what ``tools/test.py CONFIG CHECKPOINT --out KNOWN.npz`` wrote, and the
same of a list of ``path -1`` lines:

    python tools/test.py CONFIG CHECKPOINT --out UNKNOWN.npz --cfg-options \
        test_dataloader.dataset.ann_file=ImageNet_LT_open.txt \
        'test_evaluator=[]'

(emoji world: test_dataloader.dataset.split=open; a list without labels:
test_dataloader.dataset.with_label=False).
"""

import argparse
from pathlib import Path

from ltvl_mm.utils.command_line import make_parser, run_command

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(21))


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    for kind in ('known', 'unknown'):
        parser.add_argument(
            f'--{kind}',
            required=True,
            metavar='PREDICTIONS.npz',
            help=f'saved predictions for images of {kind} classes',
        )
    parser.add_argument('--class-counts', required=True, help='train list')
    parser.add_argument(
        '--threshold',
        type=float,
        default=0.1,
        help='probability below which an image is rejected; the default is '
        "OLTR's",
    )
    parser.add_argument(
        '--thresholds',
        type=float,
        nargs='+',
        default=THRESHOLDS,
        help='thresholds of by_threshold in the results',
    )
    parser.add_argument(
        '-o', '--out', required=True, help='folder of the results'
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from ltvl_mm.evaluation.accuracy_table import format_accuracies
    from ltvl_mm.evaluation.open_set import (
        check_open_set,
        measure_open_set,
        reject_below,
    )
    from ltvl_mm.evaluation.post_hoc import score_methods
    from ltvl_mm.structures.class_counts import (
        group_classes,
        load_class_counts,
    )
    from ltvl_mm.structures.predictions import load_predictions
    from ltvl_mm.utils.io import write_json

    known = load_predictions(args.known)
    unknown = load_predictions(args.unknown, unknown=True)
    check_open_set(known, unknown)
    classes = known.probabilities.shape[1]
    groups = group_classes(load_class_counts(args.class_counts, classes))
    found = measure_open_set(known, unknown, args.threshold)
    preds = {
        'closed set': known.probabilities.argmax(1),
        f'rejected below {args.threshold:g}': reject_below(
            known, args.threshold
        ),
    }
    scores = score_methods(preds, known.labels, groups)
    rows = [measure_open_set(known, unknown, one) for one in args.thresholds]
    file = Path(args.out) / 'open_set.json'
    write_json(file, {'open_set': found, 'test': scores, 'by_threshold': rows})
    print(format_accuracies(scores))
    print(
        f'F-measure {found["f_measure"]:.1f} (precision '
        f'{found["precision"]:.1f}, recall {found["recall"]:.1f}); '
        f'{found["unknown_rejected"]:.1f} % of the unknown rejected; {file}'
    )


if __name__ == '__main__':
    run_command(main)
