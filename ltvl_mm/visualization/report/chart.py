"""Charts of the report: figures with a text description."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from ltvl_mm.visualization.report.retrieved_images import Retrieval
from ltvl_mm.visualization.report.run_folder import RunFolder
from ltvl_mm.visualization.report.run_scores import score_classes
from ltvl_mm.visualization.report.study import Study


@dataclass(frozen=True)
class Variant:
    """A figure with a text description.

    Attributes:
        name: Name of the method in the menu of a chart with several figures;
            '' for a single figure.
        text: Description of the figure, also for screen readers.
        figure: Plotly figure.
    """

    name: str
    text: str
    figure: go.Figure


@dataclass(frozen=True)
class Chart:
    """A titled figure, or one figure per method; the last is shown first."""

    title: str
    variants: tuple[Variant, ...]


class NothingToDraw(Exception):
    """Raised if a figure has no input; the message says how to get it."""


def make_chart(title: str, text: str, figure: go.Figure) -> Chart:
    """Return the chart of a single figure."""
    return Chart(title, (Variant('', text, figure),))


def need_counts(study: Study) -> np.ndarray:
    """Return the (K,) training images, or raise NothingToDraw."""
    if study.counts is None:
        raise NothingToDraw(
            'the training images of a class are unknown; give --class-counts'
        )
    return study.counts


def need_retrieval(retrieval: Retrieval | None) -> Retrieval:
    """Return the retrieval, or raise NothingToDraw."""
    if retrieval is None:
        raise NothingToDraw('no run was trained on retrieved images')
    return retrieval


def collect_accuracies(study: Study) -> dict[str, np.ndarray]:
    """Return the (S, K) accuracies of each method, or raise NothingToDraw."""
    accuracies = {
        method: values
        for method in study.methods
        if (values := score_classes(study, method)) is not None
    }
    if not accuracies:
        raise NothingToDraw(
            'no run has accuracies by class; test with --predictions test.npz'
        )
    return accuracies


def list_answered(study: Study) -> dict[str, RunFolder]:
    """Return method -> its first run with predictions, in order."""
    runs: dict[str, RunFolder] = {}
    for run in study.runs:
        if run.answers is not None:
            runs.setdefault(run.name, run)
    if not runs:
        raise NothingToDraw(
            'no run has predictions; test with --predictions test.npz'
        )
    return runs
