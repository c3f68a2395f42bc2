"""Figures of classes: their images, and how often they are right."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.visualization.report.plot import (
    GROUP_COLOURS,
    OPACITY,
    escape,
    make_figure,
    mark_groups,
    pick_colour,
    pick_symbol,
)


def draw_class_accuracies(
    counts: np.ndarray,
    accuracies: Mapping[str, np.ndarray],
    names: Sequence[str],
) -> go.Figure:
    """Draw a dot per class and method against training images.

    Args:
        counts: (K,) images in the original training set.
        accuracies: Method -> (K,) percent; NaN where not tested.
        names: Of K classes.
    """
    figure = make_figure(
        'training images of the class', 'test accuracy of the class (%)'
    )
    for number, (method, values) in enumerate(accuracies.items()):
        figure.add_scatter(
            x=np.maximum(counts, 0.5),  # the axis has no zero
            y=values,
            mode='markers',
            name=escape(method),
            text=names,
            customdata=counts,
            marker={
                'size': 7,
                'opacity': OPACITY,
                'color': pick_colour(number),
                'symbol': pick_symbol(number),
            },
            hovertemplate='%{text}<br>%{customdata} training images<br>'
            '%{y:.1f} %<extra>' + escape(method) + '</extra>',
        )
    mark_groups(figure)
    return figure


def draw_arrows(
    before: tuple[np.ndarray, np.ndarray],
    after: tuple[np.ndarray, np.ndarray],
    names: Sequence[str],
    group_of_class: np.ndarray,
) -> go.Figure:
    """Draw an arrow per class, from before retrieval to after.

    Args:
        before: (K,) training images, and (K,) accuracies in percent.
        after: The same, target and retrieved images together.
        names: Of K classes.
        group_of_class: (K,) names, by training counts before.
    """
    figure = make_figure(
        'images of the class that were trained on',
        'test accuracy of the class (%)',
    )
    for group in GROUPS:
        inside = np.flatnonzero(
            (group_of_class == group)
            & ~np.isnan(before[1])
            & ~np.isnan(after[1])
        )
        if not len(inside):
            continue
        gap = np.full(len(inside), np.nan)  # ends an arrow
        x = np.stack([before[0][inside], after[0][inside], gap], 1)
        y = np.stack([before[1][inside], after[1][inside], gap], 1)
        text = np.array(
            [
                f'{names[k]}<br>{before[0][k]} to {after[0][k]} images<br>'
                f'{before[1][k]:.1f} to {after[1][k]:.1f} %'
                for k in inside
            ]
        )
        figure.add_scatter(
            x=np.maximum(x, 0.5).ravel(),
            y=y.ravel(),
            mode='lines+markers',
            name=group,
            text=np.repeat(text, 3),
            hovertemplate='%{text}<extra></extra>',
            line={'width': 1.5, 'color': GROUP_COLOURS[group]},
            opacity=OPACITY,
            marker={
                'symbol': ['circle', 'arrow', 'circle'] * len(inside),
                'size': [4, 9, 0] * len(inside),
                'angleref': 'previous',
                'color': GROUP_COLOURS[group],
                'line': {'width': 0},
            },
        )
    mark_groups(figure)
    return figure


def draw_class_frequencies(
    counts: np.ndarray, retrieved: np.ndarray | None, names: Sequence[str]
) -> go.Figure:
    """Draw training images per class, the most frequent class first."""
    order = np.argsort(-counts, kind='stable')
    figure = make_figure('classes by training images', 'images')
    parts = {'target': counts}
    if retrieved is not None:
        parts['retrieved'] = retrieved
    for number, (part, values) in enumerate(parts.items()):
        figure.add_bar(
            x=np.arange(len(order)),
            y=values[order],
            name=part,
            text=np.array(names)[order],
            textposition='none',
            hovertemplate='%{text}<br>%{y} images<extra>' + part + '</extra>',
            marker={'color': pick_colour(number), 'line': {'width': 0}},
        )
    figure.update_layout(barmode='stack', bargap=0)
    return figure


def draw_precision(curves: Mapping[str, np.ndarray]) -> go.Figure:
    """Draw the precision of the best n images of each class, by group."""
    figure = make_figure(
        'the best n retrieved images of each class', 'that show it (%)'
    )
    for group, values in curves.items():
        figure.add_scatter(
            x=np.arange(1, len(values) + 1),
            y=np.round(values, 2),
            mode='lines',
            name=group,
            line={
                'color': GROUP_COLOURS[group],
                'dash': 'dash' if group == 'all' else 'solid',
            },
            hovertemplate='best %{x}: %{y:.1f} %<extra>' + group + '</extra>',
        )
    figure.update_yaxes(range=[0, 102])
    return figure
