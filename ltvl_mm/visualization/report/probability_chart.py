"""Scores of the retrieved images by their rank."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.visualization.report.chart import (
    Chart,
    NothingToDraw,
    make_chart,
    need_retrieval,
)
from ltvl_mm.visualization.report.plot import GROUP_COLORS, make_figure
from ltvl_mm.visualization.report.retrieved_images import (
    Retrieval,
    find_probabilities,
)
from ltvl_mm.visualization.report.study import Study

_QUARTILES = (25, 50, 75)


def chart_probabilities(study: Study, retrieval: Retrieval | None) -> Chart:
    """Draw the probability of the n-th image of a class."""
    retrieval = need_retrieval(retrieval)
    manifest = retrieval.manifest
    if not len(manifest):
        raise NothingToDraw('no image was retrieved')
    values = find_probabilities(manifest)
    unit = 'probability of the class (%)'
    if values is None:
        values, unit = manifest.score, 'score'
    else:
        values = 100 * values
    curves = rank_values(manifest, values, study.groups)
    first = ', '.join(
        f'{group} {quartiles[1, 0]:.3g}' for group, quartiles in curves.items()
    )
    return make_chart(
        'Scores of the retrieved images',
        f'Median {unit} of the n-th best image of a class, by group; the band '
        f'holds the middle half of all classes. Of the best image: {first}. '
        f'An image of a low probability most likely shows another class.',
        draw_ranks(curves, unit),
    )


def rank_values(
    manifest: Manifest, values: np.ndarray, group_of_class: np.ndarray
) -> dict[str, np.ndarray]:
    """Return group -> (3, R) quartiles over classes at each rank.

    Args:
        manifest: M retrieved images.
        values: (M,) numbers.
        group_of_class: (K,) names.
    """
    groups = group_of_class[manifest.class_id]
    found = {}
    for group in (*GROUPS, 'all'):
        inside = (groups == group) | (group == 'all')
        if not inside.any():
            continue
        order = np.argsort(manifest.rank[inside], kind='stable')
        ends = np.cumsum(np.bincount(manifest.rank[inside]))
        found[group] = np.stack(
            [
                np.percentile(rows, _QUARTILES)
                for rows in np.split(values[inside][order], ends[:-1])
            ],
            1,
        )
    return found


def draw_ranks(curves: Mapping[str, np.ndarray], unit: str) -> go.Figure:
    """Draw the median by rank of each group, and a band for all classes."""
    figure = make_figure('the n-th best retrieved image of a class', unit)
    if 'all' in curves:
        low, _, high = np.round(curves['all'], 3)
        x = np.arange(1, len(low) + 1)
        figure.add_scatter(
            x=np.concatenate([x, x[::-1]]),
            y=np.concatenate([high, low[::-1]]),
            mode='lines',
            fill='toself',
            fillcolor='rgba(128, 128, 128, 0.2)',
            line={'width': 0},
            name='middle half of all classes',
            hoverinfo='skip',
        )
    for group, (_, median, _) in curves.items():
        figure.add_scatter(
            x=np.arange(1, len(median) + 1),
            y=np.round(median, 3),
            # A single image is not a line.
            mode='lines' if len(median) > 1 else 'markers',
            name=group,
            line={
                'color': GROUP_COLORS[group],
                'dash': 'dash' if group == 'all' else 'solid',
            },
            hovertemplate='image %{x}: %{y:.3g}<extra>' + group + '</extra>',
        )
    return figure
