"""Precision of retrieval, where it is known what web images show."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from ltvl_mm.visualization.report.chart import (
    Chart,
    NothingToDraw,
    make_chart,
    need_retrieval,
)
from ltvl_mm.visualization.report.plot import GROUP_COLORS, make_figure
from ltvl_mm.visualization.report.retrieved_images import (
    Retrieval,
    measure_precision,
)
from ltvl_mm.visualization.report.study import Study


def chart_precision(
    study: Study,
    retrieval: Retrieval | None,
    truth: Mapping[str, str] | None,
) -> Chart:
    """Draw the share of the best n images of each class that show it."""
    retrieval = need_retrieval(retrieval)
    if truth is None:
        raise NothingToDraw(
            'it is unknown what the web images show; give --truth, a .csv '
            'with the columns key and class_name'
        )
    curves = measure_precision(retrieval.manifest, truth, study.groups)
    if not curves:
        raise NothingToDraw('--truth names none of the retrieved images')
    listed = ', '.join(
        f'{name} {values[-1]:.1f} %' for name, values in curves.items()
    )
    return make_chart(
        'Precision of retrieval',
        f'Share of the best n images of each class that show it. Of all '
        f'retrieved images: {listed}. Retrieved to {retrieval.root}.',
        draw_precision(curves),
    )


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
                'color': GROUP_COLORS[group],
                'dash': 'dash' if group == 'all' else 'solid',
            },
            hovertemplate='best %{x}: %{y:.1f} %<extra>' + group + '</extra>',
        )
    figure.update_yaxes(range=[0, 102])
    return figure
