"""2-D maps of the features of test images."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ltvl_mm.evaluation.feature_map import project_features, sample_rows
from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.structures.features import load_features
from ltvl_mm.visualization.report.chart import (
    Chart,
    NothingToDraw,
    make_chart,
    need_counts,
)
from ltvl_mm.visualization.report.plot import (
    GROUP_COLORS,
    GROUP_SYMBOLS,
    OPACITY,
    set_layout,
    wrap,
)
from ltvl_mm.visualization.report.study import Study

# A map of more takes a while, and its dots cover each other.
MAP_IMAGES = 1000


def chart_features(study: Study, projection: str) -> Chart:
    """Draw 2-D projections of the features of test images, per method."""
    need_counts(study)
    maps, total, unread = {}, 0, ''
    for run in study.runs:
        if run.features is None or run.name in maps:
            continue
        try:
            found = load_features(run.features)
            _check_labels(found.labels, len(study.class_names))
            some = found.pick(sample_rows(found.labels, MAP_IMAGES))
            places = project_features(some, method=projection)
        except ValueError as error:
            unread += f' Left out: {run.label}: {error}.'
            continue
        total = len(found.labels)
        groups = study.group_classes_of(run)[some.labels]
        maps[run.name] = run.label, places, some.labels, groups
    if not maps:
        raise NothingToDraw(
            'no run has features_test.npz; write it with '
            'tools/analysis_tools/save_features.py --split test.' + unread
        )
    kind = {'tsne': 't-SNE', 'umap': 'UMAP'}[projection]
    return make_chart(
        'Features of test images',
        f'{kind} of {min(MAP_IMAGES, total):,} of {total:,} test images, '
        f'evenly many of each class; a map per method, few-shot classes on '
        f'top. Distances between groups of dots mean little.{unread}',
        _draw(list(maps.values()), study.shown_names),
    )


def _check_labels(labels: np.ndarray, num_classes: int) -> None:
    outside = labels[(labels < 0) | (labels >= num_classes)]
    if len(outside):
        raise ValueError(f'label {outside[0]} lies outside [0, {num_classes})')


def _draw(
    maps: Sequence[tuple[str, np.ndarray, np.ndarray, np.ndarray]],
    names: Sequence[str],
) -> go.Figure:
    """Draw features in the plane, a map per training, colored by group.

    Args:
        maps: Training, (N, 2) places, (N,) labels and (N,) groups of each.
        names: K class names.
    """
    columns = min(2, len(maps))
    rows = -(-len(maps) // columns)
    figure = make_subplots(
        rows,
        columns,
        subplot_titles=[wrap(run) for run, *_ in maps],
        horizontal_spacing=0.04,
        vertical_spacing=0.12 / rows,
    )
    figure.update_annotations(font={'size': 13})
    named = set()
    for number, (_, places, labels, groups) in enumerate(maps):
        # Rare classes last, on top.
        for group in (*GROUPS, 'all'):
            inside = groups == group
            if not inside.any():
                continue
            figure.add_scatter(
                x=np.round(places[inside, 0], 2),
                y=np.round(places[inside, 1], 2),
                mode='markers',
                name=group,
                legendgroup=group,
                showlegend=group not in named,
                text=[names[label] for label in labels[inside]],
                marker={
                    'size': 5,
                    'opacity': OPACITY,
                    'color': GROUP_COLORS[group],
                    'symbol': GROUP_SYMBOLS[group],
                },
                hovertemplate='%{text}<extra>' + group + '</extra>',
                row=1 + number // columns,
                col=1 + number % columns,
            )
            named.add(group)
    bare = {'showticklabels': False, 'zeroline': False, 'showgrid': False}
    figure.update_xaxes(bare)
    figure.update_yaxes(bare)
    return set_layout(figure, 80 + 360 * rows, top=80)
