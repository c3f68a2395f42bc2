"""Draw the best retrieved images of the rarest classes."""

import argparse
from pathlib import Path

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('manifest', help='manifest of the retrieved images')
    parser.add_argument('-o', '--out', required=True, help='PNG file')
    parser.add_argument(
        '--class-counts',
        help='train list (path label), to sort by rarity (default: label '
        'order)',
    )
    parser.add_argument(
        '--classes', type=int, default=16, help='classes to draw'
    )
    parser.add_argument(
        '--images', type=int, default=12, help='images of each class'
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from ltvl_mm.structures.class_counts import load_class_counts
    from ltvl_mm.structures.manifest_file import load_manifest
    from ltvl_mm.visualization.contact_sheet import draw_contact_sheet

    manifest = load_manifest(args.manifest)
    counts = args.class_counts and load_class_counts(
        args.class_counts, len(manifest.class_names)
    )
    draw_contact_sheet(
        args.out,
        manifest,
        Path(args.manifest).parent,
        counts=counts,
        classes=args.classes,
        images=args.images,
    )
    print(args.out)


if __name__ == '__main__':
    run_command(main)
