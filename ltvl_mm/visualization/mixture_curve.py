"""Accuracy of an ensemble against the share of its first model."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from ltvl_mm.utils.io import atomic_write
from ltvl_mm.visualization.fonts import use_fonts

matplotlib.use('agg')


def plot_mixture_curve(
    path: str | Path,
    rows: Sequence[dict],
    chosen: dict,
    names: tuple[str, str],
) -> None:
    """Write a PNG: a line per scale, all-class and few-shot accuracy on val.

    Without few-shot classes in val, the picture shows the former alone.

    Args:
        path: The file.
        rows: Result of
            :func:`ltvl_mm.evaluation.mixture_search.search_mixtures`.
        chosen: One of them.
        names: Names of the two models.
    """
    with use_fonts(names, str(path)):
        figure = _draw(rows, chosen, names)
        with atomic_write(path) as file:
            figure.savefig(file, format='png')


def _draw(
    rows: Sequence[dict], chosen: dict, names: tuple[str, str]
) -> Figure:
    # Rows lack the groups that have no val image.
    columns = [name for name in ('all', 'few') if name in chosen]
    size = (4.5 * len(columns), 4)
    figure = Figure(figsize=size, dpi=150, layout='constrained')
    panels = figure.subplots(1, len(columns), squeeze=False)[0]
    for axes, column in zip(panels, columns, strict=True):
        for scale in dict.fromkeys(row['scale'] for row in rows):
            mine = [row for row in rows if row['scale'] == scale]
            axes.plot(
                [row['alpha'] for row in mine],
                [row[column] for row in mine],
                label=f'{scale:g}',
            )
        axes.plot(chosen['alpha'], chosen[column], 'k*', markersize=12)
        axes.set(
            xlabel=f'alpha: 0 is {names[1]}, 1 is {names[0]}',
            ylabel=f'{column}, accuracy on val (%)',
        )
    axes.legend(title=f'scale of\n{names[1]}')
    return figure
