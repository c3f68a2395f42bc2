"""Shared style of the report's figures; the page sets text and background."""

import base64
import gzip
import textwrap
from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.io.json import to_json_plotly
from plotly.offline import get_plotlyjs

from ltvl_mm.structures.class_counts import FEW, GROUPS, MANY

# After Okabe and Ito 2008, told apart by color-blind readers; each so light
# and so dark that it stands out 3 : 1 from both grounds of the page, as WCAG
# 2.2 (1.4.11) asks, also where dots are a little transparent.
COLORS = (
    '#0A78B8',
    '#BA7A00',
    '#00956B',
    '#C2649A',
    '#8A63D2',
    '#D55E00',
    '#808080',
)
# Beside the color, for those who see none.
SYMBOLS = (
    'circle',
    'square',
    'diamond',
    'triangle-up',
    'cross',
    'x',
    'star',
)
DASHES = ('solid', 'dash', 'dot', 'dashdot', 'longdash')
OPACITY = 0.9
_TOOLBAR = 40  # pixels
GROUP_COLORS = dict(
    zip((*GROUPS, 'all'), (*COLORS[:3], COLORS[-1]), strict=True)
)
GROUP_SYMBOLS = dict(zip((*GROUPS, 'all'), SYMBOLS, strict=False))


def pack_library() -> str:
    """Return the JavaScript that draws all figures: gzip, as base64."""
    packed = gzip.compress(get_plotlyjs().encode(), mtime=0)
    return base64.b64encode(packed).decode()


def render_figure(figure: go.Figure, name: str) -> str:
    """Return the HTML of a figure, whose element gets a name.

    Its place, and what page.js draws there.
    """
    parts = figure.to_plotly_json() | {
        'config': {
            'responsive': True,
            'displaylogo': False,
            'displayModeBar': True,
            'modeBarButtons': [['toImage', 'resetScale2d']],
        }
    }
    # Escapes '<', so that no name ends the script.
    content = to_json_plotly(parts, engine='json')
    return (
        f'<div class="plotly-graph-div" id="{name}" '
        f'style="height:{figure.layout.height}px"></div>\n'
        f'<script type="application/json">{content}</script>'
    )


def escape(text: str) -> str:
    """Return text that plotly, which knows some HTML, shows as it stands."""
    return text.replace('&', '&amp;').replace('<', '&lt;')


def shorten(text: str, *, most: int = 22) -> str:
    """Return text that fits beside an axis."""
    return text if len(text) <= most else f'{text[: most - 1].rstrip()}…'


def wrap(text: str, *, width: int = 24) -> str:
    """Return escaped text in lines that half of a phone is wide enough for."""
    return '<br>'.join(escape(line) for line in textwrap.wrap(text, width))


def make_figure(x_title: str, y_title: str) -> go.Figure:
    """Return an empty figure with titles on its axes."""
    figure = go.Figure()
    figure.update_xaxes(title=x_title)
    figure.update_yaxes(title=y_title)
    return set_layout(figure, 420)


def set_layout(figure: go.Figure, height: int, *, top: int = 40) -> go.Figure:
    """Have a layout that fits phones: legends above, and nothing of its own.

    Args:
        figure: Is changed.
        height: In pixels.
        top: Pixels above the plots, for titles and legend.
    """
    clear = 'rgba(0,0,0,0)'
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    return figure.update_layout(
        height=height,
        # The toolbar stands upright in the right margin, beside the legend.
        margin={'l': 20, 'r': _TOOLBAR, 't': top, 'b': 20},
        legend={
            'orientation': 'h',
            'yref': 'container',
            'y': 1,
            'yanchor': 'top',
        },
        modebar={'bgcolor': clear, 'color': '#8C8C8C', 'orientation': 'v'},
        paper_bgcolor=clear,
        plot_bgcolor=clear,
        template=None,
    )


def mark_groups(figure: go.Figure) -> None:
    """Set a logarithmic axis, and draw lines where groups end.

    Frequent classes are on the left, as in the pictures of a training and in
    tables of many, medium and few.
    """
    ticks = [step * 10**power for power in range(7) for step in (1, 2, 5)]
    figure.update_xaxes(type='log', tickvals=ticks, autorange='reversed')
    figure.update_yaxes(range=[-3, 103])
    for edge in (FEW, MANY):
        figure.add_vline(
            edge, line={'width': 1, 'dash': 'dot', 'color': '#8C8C8C'}
        )


def pick_color(number: int) -> str:
    """Return a color; they come again from the eighth on."""
    return COLORS[number % len(COLORS)]


def share_out(methods: Sequence[str], baseline: str) -> dict[str, list[str]]:
    """Return which methods stand in one figure, by its name.

    All of them while colors tell them apart; else each beside the baseline.
    """
    if len(methods) <= len(COLORS):
        return {'': list(methods)}
    return {
        method: [name for name in methods if name in (baseline, method)]
        for method in methods
        if method != baseline
    }


def pick_symbol(number: int) -> str:
    """Return the symbol that goes with a color."""
    return SYMBOLS[number % len(SYMBOLS)]
