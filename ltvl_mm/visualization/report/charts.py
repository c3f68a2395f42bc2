"""Which charts stand on the page, and why others do not."""

from collections.abc import Callable, Mapping

from ltvl_mm.visualization.report import class_charts, model_charts
from ltvl_mm.visualization.report.chart import Chart, NothingToDraw
from ltvl_mm.visualization.report.retrieval import Retrieval
from ltvl_mm.visualization.report.study import Study


def make_charts(
    study: Study,
    retrieval: Retrieval | None,
    truth: Mapping[str, str] | None,
    projection: str,
) -> tuple[dict[str, Chart], dict[str, str]]:
    """Return the figures by name, and why others are not there.

    Args:
        study: The runs.
        retrieval: What was retrieved for them.
        truth: Key of a web image -> name of the class that it shows.
        projection: ``'tsne'`` or ``'umap'``.
    """
    makers: dict[str, Callable[[], Chart]] = {
        'accuracy': lambda: class_charts.chart_accuracy(study),
        'arrows': lambda: class_charts.chart_arrows(study),
        'frequency': lambda: class_charts.chart_frequency(study, retrieval),
        'confusion': lambda: model_charts.chart_confusion(study),
        'reliability': lambda: model_charts.chart_reliability(study),
        'precision': lambda: class_charts.chart_precision(
            study, retrieval, truth
        ),
        'features': lambda: model_charts.chart_features(study, projection),
        'curves': lambda: model_charts.chart_curves(study),
    }
    charts, reasons = {}, {}
    for name, make in makers.items():
        try:
            charts[name] = make()
        except NothingToDraw as reason:
            reasons[name] = str(reason)
    return charts, reasons
