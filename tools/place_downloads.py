"""Place downloaded images in a folder of tools/retrieve.py --copy none.

Reads the tars, parquet files or folders that img2dataset wrote from
download.parquet, writes their images to images/ and leaves a manifest of the
images that are there. Run it again when more is downloaded.
"""

import argparse
from pathlib import Path

from ltvl_mm.retrieval.options import MAX_BITS
from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        'retrieved', help='folder of tools/retrieve.py --copy none'
    )
    parser.add_argument(
        'downloads',
        nargs='+',
        help="img2dataset's output: folders, tars or parquet files; or a "
        'folder of local files that the keys of the store name',
    )
    parser.add_argument(
        '-o', '--out', help='output folder (default: the retrieved folder)'
    )
    parser.add_argument(
        '--max-bits',
        type=int,
        default=MAX_BITS,
        help='maximum different bits, of 64, between the perceptual hashes of '
        'a download and of the embedded image (default: %(default)s)',
    )
    parser.add_argument(
        '--verified-only',
        action='store_true',
        help='leave out images that the store has no hash of',
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from ltvl_mm.retrieval.reading.download_list import MANIFEST
    from ltvl_mm.retrieval.reading.missing_images import (
        MISSING_REPORT,
        describe_missing,
    )
    from ltvl_mm.retrieval.reading.placed_downloads import place_downloads
    from ltvl_mm.utils.provenance import record_command

    report = place_downloads(
        args.retrieved,
        args.downloads,
        out=args.out,
        max_bits=args.max_bits,
        verified_only=args.verified_only,
    )
    out = Path(args.out or args.retrieved)
    record_command(out)
    print(describe_missing(report))
    print(f'{out / MANIFEST}; missing images: {out / MISSING_REPORT}')


if __name__ == '__main__':
    run_command(main)
