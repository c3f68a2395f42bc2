"""Charts of classes: their images, and how often they are right."""

from collections.abc import Mapping

import numpy as np

from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.visualization.report.chart import (
    Chart,
    NothingToDraw,
    Variant,
    make_chart,
    need_counts,
)
from ltvl_mm.visualization.report.class_figures import (
    draw_arrows,
    draw_class_accuracies,
    draw_class_frequencies,
    draw_precision,
)
from ltvl_mm.visualization.report.plot import share_out
from ltvl_mm.visualization.report.retrieval import (
    Retrieval,
    measure_precision,
)
from ltvl_mm.visualization.report.scores import score_classes
from ltvl_mm.visualization.report.study import Study


def chart_accuracy(study: Study) -> Chart:
    """Accuracy of each class against its training images."""
    counts = need_counts(study)
    seeds = _score_methods(study)
    said = {
        method: f'{method}: {np.nanmean(values):.1f} % on average, '
        f'{np.mean(values[~np.isnan(values)] == 0):.0%} of the classes never '
        f'right'
        for method, values in seeds.items()
    }
    variants = []
    for title, methods in share_out(list(seeds), study.baseline).items():
        text = '; '.join(said[method] for method in methods)
        figure = draw_class_accuracies(
            counts,
            {method: seeds[method].mean(0) for method in methods},
            study.shown_names,
        )
        variants.append(
            Variant(
                title,
                f'A dot per class, against its training images. {text}.'
                f'{study.caveat}',
                figure,
            )
        )
    return Chart('Accuracy by class', tuple(variants))


def chart_arrows(study: Study) -> Chart:
    """What retrieval changes, against the baseline."""
    counts = need_counts(study)
    accuracies = {
        method: values.mean(0)
        for method, values in _score_methods(study).items()
    }
    before = accuracies.get(study.baseline)
    retrieved = {
        name: np.mean(found, 0).round().astype(int)
        for name in accuracies
        if name != study.baseline
        and (
            found := [
                run.retrieved
                for run in study.list_shown(name)
                if run.retrieved is not None
            ]
        )
    }
    if before is None or not retrieved:
        raise NothingToDraw(
            f'needs accuracies by class of the baseline, {study.baseline}, '
            f'and of another run that was trained on retrieved images'
        )
    variants = []
    for name, more in retrieved.items():
        change = accuracies[name] - before
        said = ', '.join(
            f'{group} {np.nanmean(change[study.groups == group]):+.1f}'
            for group in GROUPS
            if (study.groups == group).any()
        )
        figure = draw_arrows(
            (counts, before),
            (counts + more, accuracies[name]),
            study.shown_names,
            study.groups,
        )
        text = (
            f'{study.baseline} to {name}: an arrow per class, from its '
            f'training images and accuracy before to those with retrieved '
            f'images. Mean change in points: {said}.{study.caveat}'
        )
        variants.append(Variant(name, text, figure))
    return Chart('What retrieval changes', tuple(variants))


def chart_frequency(study: Study, retrieval: Retrieval | None) -> Chart:
    """Training images per class, before and after retrieval."""
    counts = need_counts(study)
    retrieved = None if retrieval is None else retrieval.counts
    source = '' if retrieval is None else f' Retrieved to {retrieval.root}.'
    text = (
        f'{counts.sum():,} images of {len(counts):,} classes, '
        f'{counts.max():,} of the most frequent and {counts.min():,} of the '
        f'rarest'
    )
    if retrieved is not None:
        both = counts + retrieved
        text += (
            f'; with {retrieved.sum():,} retrieved ones {both.max():,} and '
            f'{both.min():,}'
        )
    return make_chart(
        'Training images per class',
        f'{text}.{study.caveat}{source}',
        draw_class_frequencies(counts, retrieved, study.shown_names),
    )


def chart_precision(
    study: Study,
    retrieval: Retrieval | None,
    truth: Mapping[str, str] | None,
) -> Chart:
    """How many of the retrieved images show their class."""
    retrieval = _need(retrieval)
    if truth is None:
        raise NothingToDraw(
            'nobody said what the web images show; give --truth, a .csv with '
            'the columns key and class_name'
        )
    curves = measure_precision(retrieval.manifest, truth, study.groups)
    if not curves:
        raise NothingToDraw('--truth names none of the retrieved images')
    said = ', '.join(
        f'{name} {values[-1]:.1f} %' for name, values in curves.items()
    )
    return make_chart(
        'Precision of retrieval',
        f'How many of the best n images of each class show it. Of all: '
        f'{said}. Retrieved to {retrieval.root}.',
        draw_precision(curves),
    )


def _need(retrieval: Retrieval | None) -> Retrieval:
    if retrieval is None:
        raise NothingToDraw('no run was trained on retrieved images')
    return retrieval


def _score_methods(study: Study) -> dict[str, np.ndarray]:
    """Return the (S, K) accuracies of each method that has them."""
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
