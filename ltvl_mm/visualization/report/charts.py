"""All charts of the page, and the reasons for those that are missing."""

from collections.abc import Callable, Mapping

from ltvl_mm.visualization.report.accuracy_chart import chart_accuracy
from ltvl_mm.visualization.report.arrow_chart import chart_arrows
from ltvl_mm.visualization.report.chart import Chart, NothingToDraw
from ltvl_mm.visualization.report.confusion_chart import chart_confusion
from ltvl_mm.visualization.report.feature_map_chart import chart_features
from ltvl_mm.visualization.report.frequency_chart import chart_frequency
from ltvl_mm.visualization.report.precision_chart import chart_precision
from ltvl_mm.visualization.report.probability_chart import (
    chart_probabilities,
)
from ltvl_mm.visualization.report.reliability_chart import chart_reliability
from ltvl_mm.visualization.report.retrieved_images import Retrieval
from ltvl_mm.visualization.report.study import Study
from ltvl_mm.visualization.report.training_chart import chart_curves


def make_charts(
    study: Study,
    retrieval: Retrieval | None,
    truth: Mapping[str, str] | None,
    projection: str,
) -> tuple[dict[str, Chart], dict[str, str]]:
    """Return the figures by name, and why others are not there.

    Args:
        study: The runs.
        retrieval: Retrieval of the study.
        truth: Key of a web image -> name of the class that it shows.
        projection: ``'tsne'`` or ``'umap'``.
    """
    makers: dict[str, Callable[[], Chart]] = {
        'probabilities': lambda: chart_probabilities(study, retrieval),
        'precision': lambda: chart_precision(study, retrieval, truth),
        'accuracy': lambda: chart_accuracy(study),
        'arrows': lambda: chart_arrows(study),
        'frequency': lambda: chart_frequency(study, retrieval),
        'confusion': lambda: chart_confusion(study),
        'reliability': lambda: chart_reliability(study),
        'features': lambda: chart_features(study, projection),
        'curves': lambda: chart_curves(study),
    }
    charts, reasons = {}, {}
    for name, make in makers.items():
        try:
            charts[name] = make()
        except NothingToDraw as reason:
            reasons[name] = str(reason)
    return charts, reasons
