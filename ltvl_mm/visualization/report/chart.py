"""A chart: a figure, and what it says in words."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from ltvl_mm.visualization.report.study import Study


@dataclass(frozen=True)
class Variant:
    """A figure and what it says in words.

    Attributes:
        name: Of the method, where the reader chooses one; else ''.
        text: What is seen, for those who do not see it as well.
        figure: Of plotly.
    """

    name: str
    text: str
    figure: go.Figure


@dataclass(frozen=True)
class Chart:
    """A heading, and a figure or one per method; the last is shown first."""

    title: str
    variants: tuple[Variant, ...]


class NothingToDraw(Exception):
    """What a figure needs is not there; says what and how to get it."""


def make_chart(title: str, text: str, figure: go.Figure) -> Chart:
    """Return the chart of a single figure."""
    return Chart(title, (Variant('', text, figure),))


def need_counts(study: Study) -> np.ndarray:
    """Return the (K,) training images, or raise NothingToDraw."""
    if study.counts is None:
        raise NothingToDraw(
            'nobody knows the training images of a class; give --class-counts'
        )
    return study.counts
