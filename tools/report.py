"""Write one HTML page about trainings: it opens from the disk, anywhere.

What of a folder is missing or half-written is named on the page, and the rest
is shown. Predictions: tools/test.py CONFIG FOLDER --out FOLDER/metrics.json
--out-item metrics --predictions FOLDER/test.npz; features of a map:
tools/analysis_tools/save_features.py CONFIG FOLDER --split test -o
FOLDER/features_test.npz.
"""

import argparse
import csv
import re
import sys
from pathlib import Path

from ltvl_mm.evaluation.accuracy_table import format_accuracies
from ltvl_mm.evaluation.feature_map import METHODS
from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.structures.run_folder import RunFolder, find_runs, read_run
from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.visualization.report import (
    make_study,
    read_retrieval,
    score_run,
    write_report,
)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'runs',
        nargs='+',
        metavar='[NAME=]WORK_DIR',
        help='folder of a training, or of several; the same name for the '
        'seeds of a method; default: the path below WORK_DIR, without seed<N>',
    )
    parser.add_argument('-o', '--out', required=True, help='.html')
    parser.add_argument('--baseline', help='a name; default: the first')
    parser.add_argument('--title', default='Long-tailed recognition')
    parser.add_argument(
        '--manifest', help="default: the first that a run's config names"
    )
    parser.add_argument(
        '--class-counts', help="train list; default: the config's"
    )
    parser.add_argument('--class-names', help='file, one name per line')
    parser.add_argument(
        '--truth', help='.csv: key, class_name of web images, where known'
    )
    parser.add_argument('--projection', choices=METHODS, default='tsne')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    try:
        runs = read_runs(args.runs, args.class_counts)
        manifests = [run.manifest for run in runs if run.manifest]
        manifest = args.manifest or next(iter(manifests), None)
        retrieval = manifest and read_retrieval(Path(manifest))
        names = args.class_names and load_class_names(args.class_names)
        if retrieval and not names:
            names = retrieval.manifest.class_names
        study = make_study(runs, baseline=args.baseline, class_names=names)
        missing = write_report(
            args.out,
            study,
            retrieval=retrieval,
            truth=args.truth and read_truth(args.truth),
            title=args.title,
            projection=args.projection,
        )
    except (ValueError, ImportError) as error:
        sys.exit(str(error))
    rows = [
        {'method': run.name, **scores}
        for run in runs
        if (scores := score_run(study, run))
    ]
    print(format_accuracies(rows))
    for owner, parts in missing.items():
        print(
            f'missing of {owner}: {", ".join(parts)}; see the end of the page'
        )
    print(f'{args.out}: {Path(args.out).stat().st_size / 1e6:.1f} MB')


def read_runs(words: list[str], counts: str | None) -> list[RunFolder]:
    """Return the runs of all ``[NAME=]WORK_DIR``, in their order."""
    named = []
    for word in words:
        name, equals, folder = word.rpartition('=')
        root = Path(folder) if equals else Path(word)
        for path in find_runs(root):
            inner = path.relative_to(root).parts
            own = [p for p in inner if not re.fullmatch(r'seed\d+', p)]
            named.append((name or '/'.join(own) or path.resolve().name, path))
    runs = []
    with progress_bar(total=len(named), title='read', unit='run') as bar:
        for name, path in named:
            runs.append(read_run(path, name, counts=counts))
            bar.update()
    return runs


def read_truth(file: str) -> dict[str, str]:
    with open(file, encoding='utf-8', newline='') as lines:
        rows = csv.DictReader(lines)
        if not {'key', 'class_name'} <= set(rows.fieldnames or ()):
            raise ValueError(
                f'{file} must have the columns key and class_name, has '
                f'{rows.fieldnames}'
            )
        return {row['key']: row['class_name'] for row in rows}


if __name__ == '__main__':
    main()
