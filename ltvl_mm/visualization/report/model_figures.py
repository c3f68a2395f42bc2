"""Figures of models: what they confuse, how sure they are, how they learn."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ltvl_mm.evaluation.calibration import ReliabilityBins
from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.visualization.report.plot import (
    GROUP_COLOURS,
    escape,
    make_figure,
    pick_colour,
    set_layout,
)


def draw_confusion(shares: np.ndarray, names: Sequence[str]) -> go.Figure:
    """Draw the (W, W + 1) percents of ``count_confusions`` as a heat map."""
    labels = [
        f'{number}. {name}' for number, name in enumerate(names, 1)
    ]  # names may repeat
    figure = make_figure('', '')
    figure.add_heatmap(
        x=[*labels, 'any other'],
        y=labels,
        z=np.round(shares, 1),
        zmin=0,
        zmax=100,
        colorscale='Cividis',
        colorbar={'title': '%', 'thickness': 12},
        hovertemplate='%{y}<br>taken for %{x}<br>%{z} %<extra></extra>',
    )
    figure.update_xaxes(tickangle=-60, showgrid=False)
    figure.update_yaxes(autorange='reversed', showgrid=False)
    figure.update_layout(height=max(360, 120 + 18 * len(labels)))
    return figure


def draw_reliability(bins: Mapping[str, ReliabilityBins]) -> go.Figure:
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
                'color': GROUP_COLOURS[group],
                'dash': 'dash' if group == 'all' else 'solid',
            },
            hovertemplate='%{customdata} images<br>%{x:.0f} % sure<br>'
            '%{y:.0f} % right<extra>' + group + '</extra>',
        )
    figure.update_xaxes(range=[-2, 102])
    figure.update_yaxes(range=[-2, 102])
    return figure


def draw_feature_maps(
    maps: Mapping[str, tuple[np.ndarray, np.ndarray]],
    names: Sequence[str],
    group_of_class: np.ndarray,
) -> go.Figure:
    """Draw features in the plane, a map per method, coloured by group.

    Args:
        maps: Method -> (N, 2) places and (N,) labels.
        names: Of K classes.
        group_of_class: (K,) names.
    """
    columns = min(2, len(maps))
    rows = -(-len(maps) // columns)
    figure = make_subplots(
        rows,
        columns,
        subplot_titles=[escape(method) for method in maps],
        horizontal_spacing=0.04,
        vertical_spacing=0.08,
    )
    for number, (places, labels) in enumerate(maps.values()):
        # Rare classes last, on top.
        for group in GROUPS:
            inside = group_of_class[labels] == group
            figure.add_scatter(
                x=np.round(places[inside, 0], 2),
                y=np.round(places[inside, 1], 2),
                mode='markers',
                name=group,
                legendgroup=group,
                showlegend=number == 0,
                text=[names[label] for label in labels[inside]],
                marker={
                    'size': 4,
                    'opacity': 0.7,
                    'color': GROUP_COLOURS[group],
                },
                hovertemplate='%{text}<extra>' + group + '</extra>',
                row=1 + number // columns,
                col=1 + number % columns,
            )
    bare = {'showticklabels': False, 'zeroline': False, 'showgrid': False}
    figure.update_xaxes(bare)
    figure.update_yaxes(bare)
    return set_layout(figure, 60 + 360 * rows, top=60)


def draw_curves(runs: Mapping[str, Mapping[str, np.ndarray]]) -> go.Figure:
    """Draw loss, rate and validation accuracies, a colour per training.

    Args:
        runs: Training -> scalar -> (M, 2) steps and values.
    """
    titles = {
        'loss': 'training loss',
        'lr': 'learning rate',
        **{f'shot/{name}': f'val, {name} (%)' for name in (*GROUPS, 'all')},
    }
    there = [
        scalar
        for scalar in titles
        if any(scalar in curves for curves in runs.values())
    ]
    rows = -(-len(there) // 2)
    figure = make_subplots(
        rows,
        2,
        subplot_titles=[titles[scalar] for scalar in there],
        horizontal_spacing=0.09,
        vertical_spacing=0.3 / rows,
    )
    named = set()
    for number, (run, curves) in enumerate(runs.items()):
        for place, scalar in enumerate(there):
            if scalar not in curves:
                continue
            figure.add_scatter(
                x=curves[scalar][:, 0],
                y=curves[scalar][:, 1],
                mode='lines+markers',
                name=escape(run),
                legendgroup=run,
                showlegend=run not in named,
                marker={'size': 4},
                line={'color': pick_colour(number)},
                row=1 + place // 2,
                col=1 + place % 2,
            )
            named.add(run)
    # A line of the legend holds about four names.
    top = 50 + 20 * -(-len(named) // 4)
    return set_layout(figure, top + 240 * rows, top=top)
