"""Per-class accuracy against training images."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ltvl_mm.evaluation.smoothing import smooth_by_count
from ltvl_mm.structures.class_counts import FEW, MANY
from ltvl_mm.utils.io import atomic_write
from ltvl_mm.visualization.fonts import use_fonts

# No display is needed, whatever the user's own settings are.
matplotlib.use('agg')


def plot_class_accuracy(
    path: str | Path,
    counts: np.ndarray,
    accuracies: dict[str, np.ndarray],
    title: str,
) -> None:
    """Write a PNG: a dot per class and a smoothed curve per model.

    Args:
        path: The file.
        counts: (K,) images in the original training set.
        accuracies: Model name -> (K,) percent; NaN where not tested.
        title: Title of the picture.
    """
    with use_fonts([*accuracies, title], str(path)):
        figure = _draw(counts, accuracies, title)
        with atomic_write(path) as file:
            figure.savefig(file, format='png')


def render_class_accuracy(
    counts: np.ndarray, accuracies: dict[str, np.ndarray], title: str
) -> np.ndarray:
    """Return the picture of :func:`plot_class_accuracy`.

    Returns:
        (H, W, 3) uint8, RGB.
    """
    with use_fonts([*accuracies, title], title):
        canvas = FigureCanvasAgg(_draw(counts, accuracies, title))
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _draw(
    counts: np.ndarray, accuracies: dict[str, np.ndarray], title: str
) -> Figure:
    figure = Figure(figsize=(8, 4.5), dpi=150, layout='constrained')
    axes = figure.add_subplot()
    for name, values in accuracies.items():
        shown = np.maximum(counts, 0.5)  # the axis has no zero
        dots = axes.scatter(shown, values, s=14, alpha=0.45)
        axes.plot(
            *smooth_by_count(counts, values),
            color=dots.get_facecolor()[0][:3],
            linewidth=2.2,
            label=name,
        )
    axes.set_xscale('log')
    # As in the report: frequent classes on the left.
    axes.invert_xaxis()
    for edge in (MANY, FEW):
        axes.axvline(edge, color='gray', linewidth=0.8, linestyle=':')
    axes.set(
        xlabel='training images of the class (many | medium | few)',
        ylabel='accuracy of the class (%)',
        ylim=(-3, 103),
        title=title,
    )
    axes.legend()
    return figure
