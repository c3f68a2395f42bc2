"""Figures of models: calibration, features and training curves."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ltvl_mm.evaluation.calibration import ReliabilityBins
from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.visualization.report.plot import (
    DASHES,
    GROUP_COLOURS,
    GROUP_SYMBOLS,
    OPACITY,
    escape,
    make_figure,
    pick_colour,
    set_layout,
    wrap,
)


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
                    'color': GROUP_COLOURS[group],
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


def draw_curves(
    runs: Sequence[tuple[str, str, Mapping[str, np.ndarray]]],
) -> go.Figure:
    """Draw loss, rate and validation accuracies of trainings.

    Args:
        runs: Method, training, and scalar -> (M, 2) steps and values, of
            each.
    """
    titles = {
        'loss': 'training loss',
        'lr': 'learning rate',
        **{f'shot/{name}': f'val, {name} (%)' for name in (*GROUPS, 'all')},
    }
    there = [
        scalar
        for scalar in titles
        if any(scalar in curves for _, _, curves in runs)
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
    seeds: dict[str, int] = {}  # method -> trainings of it so far
    for method, run, curves in runs:
        seed = seeds.setdefault(method, -1) + 1
        seeds[method] = seed
        line = {
            'color': pick_colour(list(seeds).index(method)),
            'dash': DASHES[seed % len(DASHES)],
        }
        for place, scalar in enumerate(there):
            if scalar not in curves:
                continue
            figure.add_scatter(
                x=curves[scalar][:, 0],
                y=curves[scalar][:, 1],
                mode='lines+markers',
                name=escape(method),
                legendgroup=method,
                showlegend=method not in named,
                marker={'size': 4},
                line=line,
                hovertemplate='%{x}: %{y}<extra>' + escape(run) + '</extra>',
                row=1 + place // 2,
                col=1 + place % 2,
            )
            named.add(method)
    # A line of the legend holds about four names.
    top = 50 + 20 * -(-len(named) // 4)
    return set_layout(figure, top + 240 * rows, top=top)
