"""One HTML file that shows what runs reached: no server, no network."""

from collections.abc import Mapping
from pathlib import Path

import jinja2
import numpy as np
from markupsafe import Markup

from ltvl_mm.evaluation.accuracy_table import format_mean
from ltvl_mm.evaluation.bootstrap import MEASURES
from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.utils.io import atomic_write
from ltvl_mm.utils.lock import locked_file, locks_output
from ltvl_mm.utils.provenance import describe_command
from ltvl_mm.visualization.report.charts import make_charts
from ltvl_mm.visualization.report.gallery import (
    Thumbnail,
    encode_thumbnail,
    make_thumbnails,
    plan_gallery,
)
from ltvl_mm.visualization.report.plot import pack_library, render_figure
from ltvl_mm.visualization.report.retrieval import Retrieval
from ltvl_mm.visualization.report.scores import (
    compare_methods,
    score_classes,
    score_run,
)
from ltvl_mm.visualization.report.study import Study

LIMIT = 10_000_000  # bytes of the page
_FOLDER = Path(__file__).parent
_WHY_NO_DIFFERENCE = (
    'it and the baseline need test.npz over the same images, in the same seed'
)
# Of a picture in the page, beside the picture itself.
_MARKUP = 500


@locks_output('path', lock=locked_file)
def write_report(
    path: str | Path,
    study: Study,
    *,
    retrieval: Retrieval | None = None,
    truth: Mapping[str, str] | None = None,
    title: str = 'Long-tailed recognition',
    projection: str = 'tsne',
    limit: int = LIMIT,
) -> dict[str, dict[str, str]]:
    """Write the page, and return what is not on it: whose, part -> reason.

    Args:
        path: The file.
        study: The runs.
        retrieval: What was retrieved for them.
        truth: Key of a web image -> name of the class that it shows.
        title: Of the page.
        projection: ``'tsne'`` or ``'umap'``.
        limit: Bytes of the page; the gallery shows what fits.

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
    rows = make_rows(study)
    reasons |= {
        f'difference of {row["method"]}': _WHY_NO_DIFFERENCE
        for row in rows
        if not row['differences'] and row['method'] != study.baseline
    }
    if retrieval is None:
        reasons['gallery'] = 'no run was trained on retrieved images'
    missing = {
        'the page': reasons,
        **{f'{run.label} ({run.path})': run.missing for run in study.runs},
        **study.left_out,
        'the retrieval': {} if retrieval is None else retrieval.missing,
    }
    missing = {owner: parts for owner, parts in missing.items() if parts}
    content = {
        'title': title,
        'study': study,
        'columns': MEASURES,
        'rows': rows,
        'classes': make_class_table(study, retrieval),
        'charts': charts,
        'render': lambda *args: Markup(render_figure(*args)),
        'missing': missing,
        'made': describe_command(),
        'library': Markup(pack_library()),
        'style': _read('page.css'),
        'script': _read('page.js'),
    }
    page = _fill(content, None)
    if retrieval is not None:
        room = limit - len(page.encode())
        page = _fill(content, make_gallery(study, retrieval, room))
    with atomic_write(path, 'w') as file:
        file.write(page)
    return missing


def make_rows(study: Study) -> list[dict]:
    """Return a row of the headline table per method that was tested."""
    differences = compare_methods(study)
    rows = []
    for method in study.methods:
        scores = [
            found
            for run in study.list_runs(method)
            if (found := score_run(study, run))
        ]
        if not scores:
            continue
        rows.append(
            {
                'method': method,
                'seeds': len(scores),
                'cells': {
                    name: format_mean([s[name] for s in scores if name in s])
                    for name in MEASURES
                },
                'differences': {
                    name: f'{mean:+.1f} [{low:+.1f}, {high:+.1f}]'
                    for name, (mean, low, high) in differences.get(
                        method, {}
                    ).items()
                },
            }
        )
    return rows


def make_class_table(study: Study, retrieval: Retrieval | None) -> dict:
    """Return the table behind the charts: a row per class."""
    accuracies = {
        method: values.mean(0)
        for method in study.methods
        if (values := score_classes(study, method)) is not None
    }
    retrieved = None if retrieval is None else retrieval.counts
    rows = []
    for label, name in enumerate(study.class_names):
        rows.append(
            [
                name,
                study.groups[label],
                '' if study.counts is None else int(study.counts[label]),
                '' if retrieved is None else int(retrieved[label]),
                *(
                    '–' if np.isnan(values[label]) else f'{values[label]:.1f}'
                    for values in accuracies.values()
                ),
            ]
        )
    return {'methods': list(accuracies), 'rows': rows}


def make_gallery(study: Study, retrieval: Retrieval, room: int) -> dict:
    """Return the classes with their thumbnails, and the near-copies.

    Args:
        study: The runs.
        retrieval: What was retrieved.
        room: Characters that the gallery may take.
    """
    copies = _picture_copies(retrieval, room // 4)
    room -= sum(len(one['web']) + len(one['original']) for one in copies)
    # The words about a class take room as well.
    room -= _MARKUP * (len(copies) + len(study.class_names))
    shown, most = plan_gallery(
        retrieval.manifest, retrieval.root, room, markup=_MARKUP
    )
    pictures = make_thumbnails(retrieval.manifest, retrieval.root, shown, most)
    classes = [
        _make_card(study, retrieval, label, thumbnails)
        for label, thumbnails in pictures.items()
    ]
    return {
        'classes': classes,
        'most': most,
        'left_out': int((retrieval.counts > 0).sum()) - len(classes),
        'shown': sum(len(one['pictures']) for one in classes),
        'unreadable': sum(
            not thumbnail.picture
            for one in classes
            for thumbnail in one['pictures']
        ),
        'total': len(retrieval.manifest),
        'copies': copies,
        'groups': [name for name in GROUPS if name in study.groups],
        'source': retrieval.manifest.source,
        'root': retrieval.root,
        'commands': retrieval.commands,
        'report': retrieval.report,
    }


def _make_card(
    study: Study, retrieval: Retrieval, label: int, pictures: list[Thumbnail]
) -> dict:
    """Return what the gallery shows of a class, best image first."""
    about = retrieval.describe_class(label)
    retrieved = int(retrieval.counts[label])
    return {
        'label': label,
        'name': retrieval.manifest.class_names[label],
        'group': study.groups[label] if study.counts is not None else '',
        'images': '' if study.counts is None else study.counts[label],
        'retrieved': retrieved,
        'share': retrieved / (about.get('wanted') or retrieved),
        'best': pictures[0].score,
        'about': about,
        'pictures': pictures,
    }


def _picture_copies(retrieval: Retrieval, room: int) -> list[dict]:
    """Return near-copies with their pictures, as many as there is room for."""
    found = []
    for one in retrieval.copies:
        web, original = (
            encode_thumbnail(retrieval.root / file) if file else ''
            for file in (one.picture, one.original)
        )
        room -= len(web) + len(original) + _MARKUP
        if room < 0:
            break
        found.append(
            {
                'about': one,
                'web': web,
                'original': original,
                'names': [
                    retrieval.manifest.class_names[label]
                    for label in one.class_ids
                ],
            }
        )
    return found


def _fill(content: dict, gallery: dict | None) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template('page.html')
    page = template.render(**content, gallery=gallery)
    # Names from damaged files may hold halves of characters (surrogates).
    return page.encode('utf-8', 'replace').decode()


def _read(name: str) -> Markup:
    return Markup((_FOLDER / name).read_text(encoding='utf-8'))
