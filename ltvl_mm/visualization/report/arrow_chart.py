"""Chart of the effect of retrieval, with an arrow per class."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.visualization.report.chart import (
    Chart,
    NothingToDraw,
    Variant,
    collect_accuracies,
    need_counts,
)
from ltvl_mm.visualization.report.plot import (
    GROUP_COLORS,
    OPACITY,
    escape,
    make_figure,
    mark_groups,
    shorten,
)
from ltvl_mm.visualization.report.run_scores import count_retrieved
from ltvl_mm.visualization.report.study import Study

# Largest gains, and as many largest losses, that are labeled.
LABELED = 4
# Labels that are nearer than this overlap: share of the width, and points.
_NEAR_X, _NEAR_Y = 0.2, 5


def chart_arrows(study: Study) -> Chart:
    """Draw the change of each class against the baseline, per method."""
    counts = need_counts(study)
    accuracies = {
        method: values.mean(0)
        for method, values in collect_accuracies(study).items()
    }
    before = accuracies.get(study.baseline)
    retrieved = {
        name: more
        for name in accuracies
        if name != study.baseline
        and (more := count_retrieved(study, name)) is not None
    }
    if before is None or not retrieved:
        raise NothingToDraw(
            f'needs accuracies by class of the baseline, {study.baseline}, '
            f'and of another run that was trained on retrieved images'
        )
    variants = []
    for name, more in retrieved.items():
        change = accuracies[name] - before
        figure = draw_arrows(
            (counts, before),
            (counts + more, accuracies[name]),
            study.class_names,
            study.groups,
        )
        text = (
            f'{study.baseline} to {name}: an arrow per class, from its '
            f'training images and accuracy before retrieval to those with '
            f'retrieved images. {describe_changes(change, study)}'
            f'{study.caveat}'
        )
        variants.append(Variant(name, text, figure))
    return Chart('What retrieval changes', tuple(variants))


def describe_changes(change: np.ndarray, study: Study) -> str:
    """Return mean changes by group, and the largest gains and losses.

    Args:
        change: (K,) percent points; NaN where not tested.
        study: The runs.
    """
    means = ', '.join(
        f'{group} {np.nanmean(change[study.groups == group]):+.1f}'
        for group in GROUPS
        if not np.isnan(change[study.groups == group]).all()
    )
    parts = [f'Mean change in points: {means}.']
    for title, labels in (
        ('Largest gains', pick_extremes(change, LABELED)),
        ('Largest losses', pick_extremes(-change, LABELED)),
    ):
        if len(labels):
            listed = ', '.join(
                f'{study.class_names[label]} {change[label]:+.1f}'
                for label in labels
            )
            parts.append(f'{title}: {listed}.')
    return ' '.join(parts)


def pick_extremes(change: np.ndarray, number: int) -> np.ndarray:
    """Return the classes that change most upwards, the largest first.

    Args:
        change: (K,) numbers; NaN and numbers <= 0 are left out.
        number: Maximum number of classes.
    """
    order = np.argsort(-change, kind='stable')  # NaN comes last
    return order[change[order] > 0][:number]


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
        names: K class names, not escaped.
        group_of_class: (K,) names, by training counts before.
    """
    figure = make_figure(
        'training images of the class, with retrieved ones',
        'test accuracy of the class (%)',
    )
    for group in GROUPS:
        inside = np.flatnonzero(
            (group_of_class == group)
            & ~np.isnan(before[1])
            & ~np.isnan(after[1])
        )
        if len(inside):
            _add_arrows(figure, before, after, names, inside, group)
    _add_labels(figure, before, after, names)
    mark_groups(figure)
    return figure


def _add_arrows(
    figure: go.Figure,
    before: tuple[np.ndarray, np.ndarray],
    after: tuple[np.ndarray, np.ndarray],
    names: Sequence[str],
    classes: np.ndarray,
    group: str,
) -> None:
    gap = np.full(len(classes), np.nan)  # ends an arrow
    x = np.stack([before[0][classes], after[0][classes], gap], 1)
    y = np.stack([before[1][classes], after[1][classes], gap], 1)
    text = np.array(
        [
            f'{escape(names[k])}<br>{before[0][k]} to {after[0][k]} images<br>'
            f'{before[1][k]:.1f} to {after[1][k]:.1f} %'
            for k in classes
        ]
    )
    figure.add_scatter(
        x=np.maximum(x, 0.5).ravel(),
        y=y.ravel(),
        mode='lines+markers',
        name=group,
        text=np.repeat(text, 3),
        hovertemplate='%{text}<extra></extra>',
        line={'width': 1.5, 'color': GROUP_COLORS[group]},
        opacity=OPACITY,
        marker={
            'symbol': ['circle', 'arrow', 'circle'] * len(classes),
            'size': [4, 9, 0] * len(classes),
            'angleref': 'previous',
            'color': GROUP_COLORS[group],
            'line': {'width': 0},
        },
    )


def _add_labels(
    figure: go.Figure,
    before: tuple[np.ndarray, np.ndarray],
    after: tuple[np.ndarray, np.ndarray],
    names: Sequence[str],
) -> None:
    """Label the ends of the largest gains and losses that do not overlap."""
    change = after[1] - before[1]
    places = np.log(np.maximum(after[0], 0.5))
    span = max(np.ptp(np.log(np.maximum([*before[0], *after[0]], 0.5))), 1e-9)
    labeled: list[int] = []
    for sign in (1, -1):
        for label in pick_extremes(sign * change, LABELED):
            near = [
                other
                for other in labeled
                if abs(places[label] - places[other]) < _NEAR_X * span
                and abs(after[1][label] - after[1][other]) < _NEAR_Y
            ]
            if not near:
                labeled.append(int(label))
    if not labeled:
        return
    figure.add_scatter(
        x=np.maximum(after[0][labeled], 0.5),
        y=after[1][labeled],
        mode='text',
        text=[escape(shorten(names[label], most=18)) for label in labeled],
        textposition=[
            'top center' if change[label] > 0 else 'bottom center'
            for label in labeled
        ],
        textfont={'size': 11},
        cliponaxis=False,
        showlegend=False,
        hoverinfo='skip',
    )
