"""One HTML file that shows what runs reached: no server, no network."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from ltvl_mm.utils.io import atomic_write
from ltvl_mm.utils.lock import locked_file, locks_output
from ltvl_mm.utils.provenance import describe_command
from ltvl_mm.visualization.report.cards import make_gallery
from ltvl_mm.visualization.report.charts import make_charts
from ltvl_mm.visualization.report.conclusion import Conclusion, conclude
from ltvl_mm.visualization.report.missing_parts import list_missing
from ltvl_mm.visualization.report.path_hiding import PathHider
from ltvl_mm.visualization.report.plot import pack_library, render_figure
from ltvl_mm.visualization.report.quality import Quality, assess_quality
from ltvl_mm.visualization.report.retrieved_images import (
    Retrieval,
    find_probabilities,
    measure_precision,
)
from ltvl_mm.visualization.report.run_scores import compare_methods
from ltvl_mm.visualization.report.study import Study
from ltvl_mm.visualization.report.tables import (
    choose_columns,
    make_class_table,
    make_rows,
)

LIMIT = 10_000_000  # bytes of the page
_FOLDER = Path(__file__).parent
_WHY_NO_DIFFERENCE = (
    'it and the baseline need test.npz over the same images, in the same seed'
)
_WHY_NO_TRAINING_IMAGES = (
    'give --train-images, the folder that the paths of the training list '
    'start from'
)
# Charts that belong to the section of the retrieval's quality.
QUALITY_CHARTS = ('probabilities', 'precision')


@locks_output('path', lock=locked_file)
def write_report(
    path: str | Path,
    study: Study,
    *,
    retrieval: Retrieval | None = None,
    truth: Mapping[str, str] | None = None,
    title: str = 'Long-tailed recognition',
    attribution: str = '',
    projection: str = 'tsne',
    limit: int = LIMIT,
    training: Sequence[Sequence[Path]] | None = None,
) -> tuple[Conclusion, dict[str, dict[str, str]]]:
    """Write the page; return its first sentences, and what is not on it.

    What is missing is a dict: whose -> part -> reason.

    Args:
        path: The file.
        study: The runs.
        retrieval: Retrieval of the study.
        truth: Key of a web image -> name of the class that it shows.
        title: Title of the page.
        attribution: Whom the pictures are from, and their license; it is
            shown below the pictures and at the end of the page.
        projection: ``'tsne'`` or ``'umap'``.
        limit: Bytes of the page; the gallery shows what fits.
        training: Files of training images of each class, to show beside the
            retrieved ones; None shows none.

    Raises:
        ValueError: If images were retrieved for another number of classes
            than the runs have.
    """
    if retrieval and len(retrieval.counts) != len(study.class_names):
        raise ValueError(
            f'images were retrieved to {retrieval.root} for '
            f'{len(retrieval.counts)} classes, but the runs are of '
            f'{len(study.class_names)}; give the --manifest of their classes'
        )
    charts, reasons = make_charts(study, retrieval, truth, projection)
    changes = compare_methods(study)
    rows = make_rows(study, changes)
    reasons |= _find_more_reasons(study, rows, retrieval, training)
    of_retrieval = {} if retrieval is None else retrieval.missing
    quality = _assess(study, retrieval, truth)
    conclusion = conclude(
        study,
        changes,
        quality,
        wanted=None if retrieval is None else retrieval.wanted,
    )
    made = describe_command()
    hide_paths = _make_hider(study, retrieval, made)
    content = {
        'title': title,
        'attribution': attribution,
        'study': study,
        'conclusion': conclusion,
        'columns': choose_columns(rows),
        'rows': rows,
        'quality': quality,
        'classes': make_class_table(study, retrieval),
        'retrieved_to': '' if retrieval is None else retrieval.root,
        'quality_charts': {
            name: chart
            for name, chart in charts.items()
            if name in QUALITY_CHARTS
        },
        'charts': {
            name: chart
            for name, chart in charts.items()
            if name not in QUALITY_CHARTS
        },
        'render': lambda *args: Markup(render_figure(*args)),
        'missing': list_missing(
            study,
            reasons,
            of_retrieval,
            retrieved='' if retrieval is None else str(retrieval.root),
            show_path=hide_paths,
        ),
        'made': made,
        'library': Markup(pack_library()),
        'style': _read('page.css'),
        'script': _read('page.js'),
    }
    page = _fill(content, None, hide_paths)
    if retrieval is not None:
        room = limit - len(page.encode())
        gallery = make_gallery(study, retrieval, room, training=training)
        page = _fill(content, gallery, hide_paths)
    with atomic_write(path, 'w') as file:
        file.write(page)
    missing: dict[str, Mapping[str, str]] = {
        'the page': reasons,
        **{f'{run.label} ({run.path})': run.missing for run in study.runs},
        **study.left_out,
        'the retrieval': of_retrieval,
    }
    return conclusion, {
        owner: dict(parts) for owner, parts in missing.items() if parts
    }


def _find_more_reasons(
    study: Study,
    rows: Sequence[dict],
    retrieval: Retrieval | None,
    training: Sequence[Sequence[Path]] | None,
) -> dict[str, str]:
    """Return why parts that are not charts are missing."""
    reasons = {
        f'difference of {row["method"]}': _WHY_NO_DIFFERENCE
        for row in rows
        if not row['differences'] and row['method'] != study.baseline
    }
    if retrieval is None:
        reasons['gallery'] = 'no run was trained on retrieved images'
    elif training is None:
        reasons['training images'] = _WHY_NO_TRAINING_IMAGES
    return reasons


def _assess(
    study: Study, retrieval: Retrieval | None, truth: Mapping[str, str] | None
) -> Quality | None:
    if retrieval is None:
        return None
    return assess_quality(
        retrieval.manifest,
        find_probabilities(retrieval.manifest),
        retrieval.quality,
        measure_precision(retrieval.manifest, truth or {}, study.groups),
        study.groups,
    )


def _make_hider(
    study: Study, retrieval: Retrieval | None, made: dict
) -> PathHider:
    """Return what shortens the absolute paths that texts may hold."""
    commands = [made, *(c for run in study.runs for c in run.commands)]
    paths = [run.path for run in study.runs]
    if retrieval is not None:
        commands += retrieval.commands
        paths.append(retrieval.root)
    return PathHider(
        [os.getcwd(), *(str(entry['folder']) for entry in commands)],
        [
            *(str(path) for path in paths),
            *(os.path.abspath(path) for path in paths),
            sys.prefix,
        ],
    )


def _fill(content: dict, gallery: dict | None, hide_paths: PathHider) -> str:
    def finalize(value: Any) -> Any:  # noqa: ANN401
        """Hide paths in what the template prints, except in pictures."""
        if isinstance(value, Markup) or not isinstance(value, (str, Path)):
            return value
        text = str(value)
        return text if text.startswith('data:') else hide_paths(text)

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template('page.html')
    page = template.render(**content, gallery=gallery)
    # Names from damaged files may hold halves of characters (surrogates).
    return page.encode('utf-8', 'replace').decode()


def _read(name: str) -> Markup:
    return Markup((_FOLDER / name).read_text(encoding='utf-8'))
