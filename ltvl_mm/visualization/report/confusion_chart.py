"""Chart of the classes that a model confuses."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ltvl_mm.evaluation.confusion import (
    count_confusions,
    find_confused_classes,
)
from ltvl_mm.visualization.report.chart import (
    Chart,
    NothingToDraw,
    Variant,
    list_answered,
)
from ltvl_mm.visualization.report.plot import (
    escape,
    make_figure,
    set_layout,
    shorten,
)
from ltvl_mm.visualization.report.run_folder import Answers, RunFolder
from ltvl_mm.visualization.report.study import Study

# Names of more classes do not fit a phone.
MAX_CLASSES = 20
_LISTED = 5


def chart_confusion(study: Study) -> Chart:
    """Draw the most frequent confusions, per method.

    The most accurate method is shown first: the errors of a method that is
    mostly wrong say little about the classes.
    """
    found = sorted(
        list_answered(study).items(),
        key=lambda entry: entry[1].get_answers().right.mean(),
    )
    variants = [
        variant
        for name, run in found
        if (variant := _make_variant(study, name, run)) is not None
    ]
    if not variants:
        raise NothingToDraw('no method confuses two classes')
    return Chart('Most frequent confusions', tuple(variants))


def _make_variant(study: Study, name: str, run: RunFolder) -> Variant | None:
    answers = run.get_answers()
    classes = find_confused_classes(
        answers.pred, answers.labels, answers.num_classes, limit=MAX_CLASSES
    )
    if not len(classes):
        return None
    text = (
        f'{run.label}: the {len(classes)} classes with the most frequent '
        f'confusions, in the order of the class list; rows are true and '
        f'columns predicted classes. '
        f'{_list_confusions(answers, classes, study.class_names)}'
    )
    shares = count_confusions(answers.pred, answers.labels, classes)
    names = [study.class_names[label] for label in classes]
    return Variant(name, text, draw_confusion(shares, names))


def _list_confusions(
    answers: Answers, classes: np.ndarray, names: Sequence[str]
) -> str:
    shares = count_confusions(answers.pred, answers.labels, classes)[:, :-1]
    np.fill_diagonal(shares, 0)
    order = np.argsort(-shares, axis=None, kind='stable')[:_LISTED]
    rows, columns = np.unravel_index(order, shares.shape)
    return ' '.join(
        f'{shares[row, column]:.0f} % of {names[classes[row]]} are taken for '
        f'{names[classes[column]]}.'
        for row, column in zip(rows, columns, strict=True)
        if shares[row, column] > 0
    )


def draw_confusion(shares: np.ndarray, names: Sequence[str]) -> go.Figure:
    """Draw the percents of ``count_confusions`` as a heat map.

    Args:
        shares: (W, W + 1) percents; rows are true classes, columns predicted
            classes, and the last column all others.
        names: W class names, not escaped.
    """
    columns = [*names, 'any other']
    figure = make_figure('', '')
    figure.add_heatmap(
        z=np.round(shares, 1),
        zmin=0,
        zmax=100,
        colorscale='Cividis',
        colorbar={
            'orientation': 'h',
            'thickness': 10,
            'len': 0.6,
            'ticksuffix': ' %',
            'yref': 'container',
            'y': 1,
            'yanchor': 'top',
        },
        customdata=[
            [(escape(row), escape(column)) for column in columns]
            for row in names
        ],
        hovertemplate='%{customdata[0]}<br>taken for %{customdata[1]}<br>'
        '%{z} %<extra></extra>',
    )
    bare = {'showgrid': False, 'zeroline': False, 'tickfont': {'size': 10}}
    figure.update_xaxes(
        tickvals=list(range(len(columns))),
        ticktext=[escape(shorten(name, most=18)) for name in columns],
        tickangle=-90,
        **bare,
    )
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=[escape(shorten(name, most=18)) for name in names],
        autorange='reversed',
        **bare,
    )
    return set_layout(figure, 250 + 18 * len(names), top=60)
