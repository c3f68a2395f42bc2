"""Time BALLAD's phase B at real shapes, from images and from cached features.

RN50 and ViT-B/16 at 224 px with random weights, batches and pipeline of the
leaf configs, drawn JPEGs of 500 x 375 pixels, one process, CPU seconds. The
run from images is measured on --images and extrapolated linearly to an epoch
of ImageNet-LT (115,712 images); the run from cached features is measured over
a whole epoch. JSON in the end: for each model, milliseconds per image of both
runs and of caching, hours of an epoch from images (extrapolated), and
phase_b_speedup_real, their ratio; the smallest ratio has no prefix.
"""

import argparse
import json

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--images',
        type=int,
        default=1000,
        help='images that are encoded',
    )
    parser.add_argument(
        '--classes', type=int, default=1000, help='classes of the text prompts'
    )
    parser.add_argument(
        '--models',
        nargs='+',
        choices=['rn50', 'vit-b16'],
        default=['rn50', 'vit-b16'],
        help='image encoders',
    )
    return parser


def main() -> None:
    args: argparse.Namespace = build_parser().parse_args()
    from phase_b_real_runs import measure_model

    results: dict[str, object] = {
        'images': args.images,
        'classes': args.classes,
    }
    ratios = []
    for name in args.models:
        found = measure_model(name, args.images, args.classes)
        results[name] = found
        ratios.append(found['speedup'])
    results['phase_b_speedup_real'] = min(ratios)
    print(json.dumps(results))


if __name__ == '__main__':
    run_command(main)
