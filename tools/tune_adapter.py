"""Choose the preset of BALLAD's phase B on val, from cached features.

Trains an adapter per preset on the features of a cached config, as
tools/train.py does, in seconds where an epoch of images takes minutes. Prints
the accuracies on val and the command that trains the best one.
"""

import argparse
import shlex

from ltvl_mm.utils.command_line import (
    add_config_options,
    make_parser,
    run_command,
)


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        'config', help='phase B on ltvl_mm.CachedFeatures, as *_b_cached.py'
    )
    parser.add_argument(
        '--by',
        choices=('all', 'class_mean', 'few'),
        default='class_mean',
        help='accuracy on val that chooses (default: %(default)s)',
    )
    parser.add_argument(
        '-o', '--out', help='JSON file of all numbers (default: none)'
    )
    add_config_options(parser)
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from mmengine.config import Config

    from ltvl_mm.apis.adapter_tuning import tune_adapter
    from ltvl_mm.evaluation.accuracy_table import format_accuracies
    from ltvl_mm.evaluation.post_hoc import choose_setting
    from ltvl_mm.utils.config_options import format_config_options
    from ltvl_mm.utils.io import write_json

    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options or {})
    rows = tune_adapter(cfg)
    best = choose_setting(rows, args.by)
    if args.out:
        write_json(args.out, {'by': args.by, 'chosen': best, 'val': rows})
    print(
        format_accuracies([{'method': row['preset'], **row} for row in rows])
    )
    words = format_config_options(args.cfg_options or {})
    command = shlex.join(
        [
            *('python', 'tools/train.py', args.config, '--cfg-options'),
            *words,
            *best['options'].split(),
        ]
    )
    print(f'chosen on val by {args.by}: {best["preset"]}')
    print(f'train it, in one process: {command}')


if __name__ == '__main__':
    run_command(main)
