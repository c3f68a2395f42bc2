"""What all figures of the report share; text and ground are the page's."""

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from ltvl_mm.structures.class_counts import FEW, GROUPS, MANY

# Okabe and Ito 2008: told apart by colour-blind readers, on light and dark.
COLOURS = (
    '#0072B2',
    '#E69F00',
    '#009E73',
    '#CC79A7',
    '#56B4E9',
    '#D55E00',
    '#8C8C8C',
)
GROUP_COLOURS = dict(
    zip((*GROUPS, 'all'), (*COLOURS[:3], '#8C8C8C'), strict=True)
)


def read_library() -> str:
    """Return the JavaScript that draws all figures, without the network."""
    return get_plotlyjs()


def render_figure(figure: go.Figure, name: str) -> str:
    """Return the HTML of a figure, whose element gets a name."""
    return figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=name,
        default_width='100%',
        default_height=f'{figure.layout.height}px',
        config={
            'responsive': True,
            'displaylogo': False,
            'modeBarButtons': [['toImage', 'resetScale2d']],
        },
    )


def escape(text: str) -> str:
    """Return text that plotly, which knows some HTML, shows as it stands."""
    return text.replace('&', '&amp;').replace('<', '&lt;')


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
        margin={'l': 20, 'r': 15, 't': top, 'b': 20},
        legend={
            'orientation': 'h',
            'yref': 'container',
            'y': 1,
            'yanchor': 'top',
        },
        modebar={'bgcolor': clear, 'color': '#8C8C8C'},
        paper_bgcolor=clear,
        plot_bgcolor=clear,
        template=None,
    )


def mark_groups(figure: go.Figure) -> None:
    """Have a logarithmic axis, and lines where groups end."""
    ticks = [step * 10**power for power in range(7) for step in (1, 2, 5)]
    figure.update_xaxes(type='log', tickvals=ticks)
    figure.update_yaxes(range=[-3, 103])
    for edge in (FEW, MANY):
        figure.add_vline(
            edge, line={'width': 1, 'dash': 'dot', 'color': '#8C8C8C'}
        )


def pick_colour(number: int) -> str:
    """Return a colour; they come again from the eighth on."""
    return COLOURS[number % len(COLOURS)]
