"""Loss, learning rate and val accuracy of trainings."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.visualization.report.chart import (
    Chart,
    NothingToDraw,
    Variant,
)
from ltvl_mm.visualization.report.plot import (
    DASHES,
    escape,
    pick_color,
    set_layout,
    share_out,
)
from ltvl_mm.visualization.report.study import Study


def chart_curves(study: Study) -> Chart:
    """Draw loss, learning rate and val accuracy of all trainings."""
    runs = [
        (run.name, run.label, run.curves)
        for run in study.runs
        if 'loss' in run.curves
    ]
    if not runs:
        raise NothingToDraw('no run has vis_data/scalars.json')
    variants = []
    trained = list(dict.fromkeys(name for name, _, _ in runs))
    for title, methods in share_out(trained, study.baseline).items():
        some = [run for run in runs if run[0] in methods]
        text = (
            f'{len(some)} trainings of {", ".join(methods)}: loss and '
            f'learning rate by iteration, accuracy on val by epoch. A color '
            f'per method, a dash per seed.'
        )
        variants.append(Variant(title, text, _draw(some)))
    return Chart('Training', tuple(variants))


def _draw(
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
            'color': pick_color(list(seeds).index(method)),
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
