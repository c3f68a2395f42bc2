"""Draw the best retrieved images of the rarest classes."""

import argparse
from pathlib import Path

from ltvl_mm.structures.class_counts import load_class_counts
from ltvl_mm.structures.manifest import load_manifest
from ltvl_mm.utils.command_line import run_command
from ltvl_mm.visualization.contact_sheet import draw_contact_sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('manifest')
    parser.add_argument('-o', '--out', required=True, help='PNG file')
    parser.add_argument(
        '--class-counts', help='train list (path label), to sort by rarity'
    )
    parser.add_argument('--classes', type=int, default=16)
    parser.add_argument('--images', type=int, default=12)
    args = parser.parse_args()
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
