"""Training images per class, before and after retrieval."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ltvl_mm.visualization.report.chart import (
    Chart,
    make_chart,
    need_counts,
)
from ltvl_mm.visualization.report.plot import make_figure, pick_color
from ltvl_mm.visualization.report.retrieved_images import Retrieval
from ltvl_mm.visualization.report.study import Study


def chart_frequency(study: Study, retrieval: Retrieval | None) -> Chart:
    """Draw target and retrieved images of each class."""
    counts = need_counts(study)
    retrieved = None if retrieval is None else retrieval.counts
    source = '' if retrieval is None else f' Retrieved to {retrieval.root}.'
    text = (
        f'{counts.sum():,} images of {len(counts):,} classes, '
        f'{counts.max():,} of the most frequent and {counts.min():,} of the '
        f'rarest'
    )
    if retrieved is not None:
        both = counts + retrieved
        text += (
            f'; with {retrieved.sum():,} retrieved ones {both.max():,} and '
            f'{both.min():,}'
        )
    return make_chart(
        'Training images per class',
        f'{text}.{study.caveat}{source}',
        draw_frequency(counts, retrieved, study.shown_names),
    )


def draw_frequency(
    counts: np.ndarray, retrieved: np.ndarray | None, names: Sequence[str]
) -> go.Figure:
    """Draw stacked bars, the most frequent class first.

    Args:
        counts: (K,) training images.
        retrieved: (K,) retrieved images; None for none.
        names: K escaped class names.
    """
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
            marker={'color': pick_color(number), 'line': {'width': 0}},
        )
    figure.update_layout(barmode='stack', bargap=0)
    return figure
