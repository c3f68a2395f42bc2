"""Charts of models: calibration, features and training curves."""

import numpy as np

from ltvl_mm.evaluation.calibration import bin_confidences
from ltvl_mm.evaluation.feature_map import project_features, sample_rows
from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.structures.features import load_features
from ltvl_mm.visualization.report.chart import (
    Chart,
    NothingToDraw,
    Variant,
    list_answered,
    make_chart,
    need_counts,
)
from ltvl_mm.visualization.report.model_figures import (
    draw_curves,
    draw_feature_maps,
    draw_reliability,
)
from ltvl_mm.visualization.report.plot import share_out
from ltvl_mm.visualization.report.study import Study

# A map of more takes a while, and its dots cover each other.
MAP_IMAGES = 1000


def chart_reliability(study: Study) -> Chart:
    """Draw reliability diagrams and expected calibration errors."""
    variants = []
    for name, run in list_answered(study).items():
        answers = run.get_answers()
        groups = study.group_classes_of(run)[answers.labels]
        bins = {
            group: bin_confidences(
                answers.confidence[inside], answers.right[inside]
            )
            for group in (*GROUPS, 'all')
            if (inside := (groups == group) | (group == 'all')).any()
        }
        errors = ', '.join(
            f'{group} {found.error:.1f} %' for group, found in bins.items()
        )
        text = (
            f'{run.label}: accuracy on the test images of each level of '
            f'confidence; below the diagonal the model is overconfident. '
            f'Expected calibration error: {errors}.'
        )
        variants.append(Variant(name, text, draw_reliability(bins)))
    return Chart('Reliability', tuple(variants))


def chart_features(study: Study, projection: str) -> Chart:
    """Draw 2-D projections of the features of test images, per method."""
    need_counts(study)
    maps, total, unread = {}, 0, ''
    for run in study.runs:
        if run.features is None or run.name in maps:
            continue
        try:
            found = load_features(run.features)
            _check_labels(found.labels, len(study.class_names))
            some = found.pick(sample_rows(found.labels, MAP_IMAGES))
            places = project_features(some, method=projection)
        except ValueError as error:
            unread += f' Left out: {run.label}: {error}.'
            continue
        total = len(found.labels)
        groups = study.group_classes_of(run)[some.labels]
        maps[run.name] = run.label, places, some.labels, groups
    if not maps:
        raise NothingToDraw(
            'no run has features_test.npz; write it with '
            'tools/analysis_tools/save_features.py --split test.' + unread
        )
    kind = {'tsne': 't-SNE', 'umap': 'UMAP'}[projection]
    return make_chart(
        'Features of test images',
        f'{kind} of {min(MAP_IMAGES, total):,} of {total:,} test images, '
        f'evenly many of each class; a map per method, few-shot classes on '
        f'top. Distances between groups of dots mean little.{unread}',
        draw_feature_maps(list(maps.values()), study.shown_names),
    )


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
        variants.append(Variant(title, text, draw_curves(some)))
    return Chart('Training', tuple(variants))


def _check_labels(labels: np.ndarray, num_classes: int) -> None:
    outside = labels[(labels < 0) | (labels >= num_classes)]
    if len(outside):
        raise ValueError(f'label {outside[0]} lies outside [0, {num_classes})')
