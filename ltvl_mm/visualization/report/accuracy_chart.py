"""Accuracy of each class against its training images."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from ltvl_mm.evaluation.smoothing import smooth_by_count
from ltvl_mm.visualization.report.chart import (
    Chart,
    Variant,
    collect_accuracies,
    need_counts,
)
from ltvl_mm.visualization.report.plot import (
    escape,
    make_figure,
    mark_groups,
    pick_color,
    pick_symbol,
    share_out,
)
from ltvl_mm.visualization.report.study import Study

# More methods have fainter dots, so that the curves stay readable.
_DOT_OPACITY = {1: 0.6, 2: 0.4}
_MIN_DOT_OPACITY = 0.22


def chart_accuracy(study: Study) -> Chart:
    """Draw a smoothed curve per method, and a dot per class."""
    counts = need_counts(study)
    seeds = collect_accuracies(study)
    never = {
        method: np.mean(values[~np.isnan(values)] == 0)
        for method, values in seeds.items()
    }
    variants = []
    for title, methods in share_out(list(seeds), study.baseline).items():
        described = '; '.join(
            f'{method} {never[method]:.0%}' for method in methods
        )
        figure = draw_accuracy(
            counts,
            {method: seeds[method].mean(0) for method in methods},
            study.shown_names,
        )
        variants.append(
            Variant(
                title,
                f'A smoothed curve per method, and a dot per class: point at '
                f'a dot for the name of its class. Frequent classes are on '
                f'the left. Share of classes that are never right: '
                f'{described}.{study.caveat}',
                figure,
            )
        )
    return Chart('Accuracy by class', tuple(variants))


def draw_accuracy(
    counts: np.ndarray,
    accuracies: Mapping[str, np.ndarray],
    names: Sequence[str],
) -> go.Figure:
    """Draw accuracies of classes against training images.

    Args:
        counts: (K,) images in the original training set.
        accuracies: Method -> (K,) percent; NaN where not tested.
        names: K escaped class names.
    """
    figure = make_figure(
        'training images of the class', 'test accuracy of the class (%)'
    )
    opacity = _DOT_OPACITY.get(len(accuracies), _MIN_DOT_OPACITY)
    # Curves last, on top of the dots of all methods.
    for number, (method, values) in enumerate(accuracies.items()):
        figure.add_scatter(
            x=np.maximum(counts, 0.5),  # the axis has no zero
            y=values,
            mode='markers',
            name=escape(method),
            legendgroup=method,
            showlegend=False,
            text=names,
            customdata=counts,
            marker={
                'size': 6,
                'opacity': opacity,
                'color': pick_color(number),
                'symbol': pick_symbol(number),
            },
            hovertemplate='%{text}<br>%{customdata} training images<br>'
            '%{y:.1f} %<extra>' + escape(method) + '</extra>',
        )
    for number, (method, values) in enumerate(accuracies.items()):
        x, y = smooth_by_count(counts, values)
        figure.add_scatter(
            x=np.round(x, 2),
            y=np.round(y, 2),
            # A single point is not a line.
            mode='lines' if len(x) > 1 else 'markers',
            name=escape(method),
            legendgroup=method,
            line={'width': 3, 'color': pick_color(number)},
            hoverinfo='skip',
        )
    mark_groups(figure)
    return figure
