"""Reliability diagrams and calibration errors of methods."""

from collections.abc import Mapping

import plotly.graph_objects as go

from ltvl_mm.evaluation.calibration import ReliabilityBins, bin_confidences
from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.visualization.report.chart import Chart, Variant, list_answered
from ltvl_mm.visualization.report.plot import GROUP_COLORS, make_figure
from ltvl_mm.visualization.report.study import Study


def chart_reliability(study: Study) -> Chart:
    """Draw reliability diagrams and expected calibration errors."""
    variants = []
    for name, run in list_answered(study).items():
        answers = run.get_answers()
        groups = study.group_classes_of(run)[answers.labels]
        bins = {
            group: bin_confidences(
                answers.confidence[inside], answers.right[inside]
            )
            for group in (*GROUPS, 'all')
            if (inside := (groups == group) | (group == 'all')).any()
        }
        errors = ', '.join(
            f'{group} {found.error:.1f} %' for group, found in bins.items()
        )
        text = (
            f'{run.label}: accuracy on the test images of each level of '
            f'confidence; below the diagonal the model is overconfident. '
            f'Expected calibration error: {errors}.'
        )
        variants.append(Variant(name, text, _draw(bins)))
    return Chart('Reliability', tuple(variants))


def _draw(bins: Mapping[str, ReliabilityBins]) -> go.Figure:
    """Draw accuracy against confidence, a line per group."""
    figure = make_figure('confidence (%)', 'accuracy (%)')
    figure.add_scatter(
        x=[0, 100],
        y=[0, 100],
        mode='lines',
        name='calibrated',
        line={'dash': 'dot', 'color': '#8C8C8C'},
        hoverinfo='skip',
    )
    for group, found in bins.items():
        seen = found.count > 0
        figure.add_scatter(
            x=found.confidence[seen],
            y=found.accuracy[seen],
            customdata=found.count[seen],
            mode='lines+markers',
            name=f'{group}, ECE {found.error:.1f} %',
            line={
                'color': GROUP_COLORS[group],
                'dash': 'dash' if group == 'all' else 'solid',
            },
            hovertemplate='%{customdata} images<br>%{x:.0f} % sure<br>'
            '%{y:.0f} % right<extra>' + group + '</extra>',
        )
    figure.update_xaxes(range=[-2, 102])
    figure.update_yaxes(range=[-2, 102])
    return figure
