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
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ltvl_mm.evaluation.feature_map import METHODS
from ltvl_mm.utils.command_line import make_parser, run_command
from ltvl_mm.utils.text import escape_controls

if TYPE_CHECKING:
    from ltvl_mm.visualization.report import Retrieval, Study
    from ltvl_mm.visualization.report.run_folder import RunFolder


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        'runs',
        nargs='+',
        metavar='[NAME=]WORK_DIR',
        help='folder of a training, or of several; the same name for the '
        'seeds of a method; default: the path below WORK_DIR without seed<N>',
    )
    parser.add_argument('-o', '--out', required=True, help='.html file')
    parser.add_argument(
        '--baseline',
        help='name of the method that others are compared with (default: the '
        'first)',
    )
    parser.add_argument(
        '--title', default='Long-tailed recognition', help='title of the page'
    )
    parser.add_argument(
        '--attribution',
        default='',
        metavar='TEXT',
        help='whom the pictures are from, and their license; shown below them '
        '(default: none)',
    )
    parser.add_argument(
        '--manifest',
        help="manifest of all runs that have one (default: each config's own)",
    )
    parser.add_argument(
        '--class-counts', help="train list (default: the config's)"
    )
    parser.add_argument(
        '--class-names',
        help="file, one name per line (default: the manifest's)",
    )
    parser.add_argument(
        '--truth',
        help='.csv: key, class_name of web images (default: unknown)',
    )
    parser.add_argument(
        '--train-images',
        metavar='FOLDER',
        help='folder that the paths of the training list start from; shows '
        'training images beside retrieved ones (default: none are shown)',
    )
    parser.add_argument(
        '--projection',
        choices=METHODS,
        default='tsne',
        help='2-D map of features',
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from ltvl_mm.evaluation.accuracy_table import format_accuracies
    from ltvl_mm.structures.class_names import load_class_names
    from ltvl_mm.visualization.report import (
        make_study,
        score_run,
        write_report,
    )

    # Names of folders may hold bytes that are not UTF-8.
    sys.stdout.reconfigure(errors='backslashreplace')
    try:
        if Path(args.out).is_dir():
            raise ValueError(f'-o must be a file, got the folder {args.out}')
        truth = args.truth and read_truth(args.truth)
        names = args.class_names and load_class_names(args.class_names)
        runs = read_runs(args.runs, args.class_counts, args.manifest)
        if args.class_counts and all(run.counts is None for run in runs):
            reasons = [run.missing.get('class counts') for run in runs]
            if any(reasons):
                raise ValueError(next(filter(None, reasons)))
        study = make_study(runs, baseline=args.baseline, class_names=names)
        retrieval = find_retrieval(study.runs, args.manifest)
        if retrieval and not names:
            study = replace(study, class_names=retrieval.manifest.class_names)
        conclusion, missing = write_report(
            args.out,
            study,
            retrieval=retrieval,
            truth=truth,
            title=args.title,
            attribution=args.attribution,
            projection=args.projection,
            training=find_training_images(study, args.train_images),
        )
    except (ValueError, OSError, ImportError) as error:
        sys.exit(escape_controls(str(error)))
    rows = [
        {'method': run.name, **scores}
        for run in study.runs
        if (scores := score_run(study, run))
    ]
    print(escape_controls(format_accuracies(rows)))
    print('', *map(escape_controls, conclusion.sentences), '', sep='\n')
    for owner, parts in study.left_out.items():
        print(escape_controls(f'{owner} is left out: {parts["the run"]}'))
    for owner, parts in missing.items():
        text = f'missing of {owner}: {", ".join(parts)}'
        print(escape_controls(f'{text}; see the end of the page'))
    print(f'{args.out}: {Path(args.out).stat().st_size / 1e6:.1f} MB')


def read_runs(
    words: list[str], counts: str | None, manifest: str | None
) -> 'list[RunFolder]':
    """Return the runs of all ``[NAME=]WORK_DIR``, each once, in order.

    A folder without any is a run that lacks all parts.
    """
    from ltvl_mm.utils.progress import progress_bar
    from ltvl_mm.visualization.report.run_reader import read_run
    from ltvl_mm.visualization.report.run_search import find_runs

    named = {}
    empty = True
    for word in words:
        name, root = split_word(word)
        found = list(find_runs(root))
        empty = empty and not found
        for path in found or [root]:
            own = name or name_run(path, root)
            named.setdefault((own, path.resolve()), path)
    if empty:
        raise ValueError(
            'none of the folders holds a training or a test: test.npz, '
            'metrics.json or */vis_data/scalars.json'
        )
    runs = []
    with progress_bar(total=len(named), title='read', unit='run') as bar:
        for (name, _), path in named.items():
            runs.append(read_run(path, name, counts=counts, manifest=manifest))
            bar.update()
    return runs


def split_word(word: str) -> tuple[str, Path]:
    """Return name and folder of ``[NAME=]WORK_DIR``; '' without a name."""
    name, equals, folder = word.partition('=')
    if Path(word).is_dir() or not equals:
        return '', Path(word)
    return name, Path(folder)


def name_run(path: Path, root: Path) -> str:
    """Return the path below the root without seeds; else its last folder."""
    below = drop_seeds(path.relative_to(root).parts)
    return '/'.join(below or drop_seeds(path.resolve().parts)[-1:])


def drop_seeds(parts: tuple[str, ...]) -> list[str]:
    return [part for part in parts if not re.fullmatch(r'seed\d+', part)]


def find_retrieval(
    runs: 'Sequence[RunFolder]', manifest: str | None
) -> 'Retrieval | None':
    """Return the one that is named, else the first that a run has."""
    from ltvl_mm.visualization.report import read_retrieval

    if manifest is None:
        manifest = next(
            (run.manifest for run in runs if run.retrieved is not None), None
        )
    return None if manifest is None else read_retrieval(Path(manifest))


def find_training_images(
    study: 'Study', root: str | None
) -> list[list[Path]] | None:
    """Return files of training images of each class; None without a root."""
    if root is None:
        return None
    from ltvl_mm.visualization.report import pick_training_images

    found = next(
        (
            run.train_list
            for run in study.runs
            if run.train_list is not None and study.is_shown(run)
        ),
        None,
    )
    if found is None:
        raise ValueError(
            '--train-images needs a training list, and no run has one; give '
            'it with --class-counts LIST.txt'
        )
    return pick_training_images(found, root, len(study.class_names))


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
    run_command(main)
