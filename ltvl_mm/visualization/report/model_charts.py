"""Charts of models: what they confuse, how sure they are, how they learn."""

import numpy as np

from ltvl_mm.evaluation.calibration import bin_confidences
from ltvl_mm.evaluation.confusion import count_confusions, find_worst_classes
from ltvl_mm.evaluation.feature_map import project_features, sample_rows
from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.structures.features import load_features
from ltvl_mm.structures.run_folder import RunFolder
from ltvl_mm.visualization.report.chart import (
    Chart,
    NothingToDraw,
    Variant,
    make_chart,
    need_counts,
)
from ltvl_mm.visualization.report.model_figures import (
    draw_confusion,
    draw_curves,
    draw_feature_maps,
    draw_reliability,
)
from ltvl_mm.visualization.report.plot import share_out
from ltvl_mm.visualization.report.study import Study

# A map of more takes a while, and its dots cover each other.
MAP_IMAGES = 1000
WORST = 20


def chart_confusion(study: Study) -> Chart:
    """What the worst classes are taken for, per method."""
    variants = []
    for name, run in _list_answered(study).items():
        answers = run.answers
        worst = find_worst_classes(
            answers.pred, answers.labels, answers.num_classes, limit=WORST
        )
        shares = count_confusions(answers.pred, answers.labels, worst)
        among = shares[:, :-1] - np.diag(np.diag(shares))
        row, column = np.unravel_index(among.argmax(), among.shape)
        text = (
            f'{run.label}: the {len(worst)} classes of lowest accuracy, the '
            f'worst first; rows are true, columns predicted classes, by the '
            f'numbers of the rows. The most frequent confusion among them: '
            f'{study.class_names[worst[row]]} taken for '
            f'{study.class_names[worst[column]]}, {among[row, column]:.0f} % '
            f'of its images.'
        )
        names = [study.class_names[label] for label in worst]
        figure = draw_confusion(shares, names)
        variants.append(Variant(name, text, figure))
    return Chart('Confusion among the worst classes', tuple(variants))


def chart_reliability(study: Study) -> Chart:
    """Whether a model is right as often as it is sure."""
    variants = []
    for name, run in _list_answered(study).items():
        answers = run.answers
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
            f'{run.label}: how many of the test images are right on which '
            f'the model is so and so sure; below the diagonal it is too '
            f'sure. Expected calibration error: {errors}.'
        )
        variants.append(Variant(name, text, draw_reliability(bins)))
    return Chart('Reliability', tuple(variants))


def chart_features(study: Study, projection: str) -> Chart:
    """Features of test images in the plane, per method."""
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
    """Loss, rate and accuracy on val of all trainings."""
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
            f'{len(some)} trainings of {", ".join(methods)}: loss and rate by '
            f'iteration, accuracy on val by epoch. A colour per method, a '
            f'dash per seed.'
        )
        variants.append(Variant(title, text, draw_curves(some)))
    return Chart('Training', tuple(variants))


def _check_labels(labels: np.ndarray, num_classes: int) -> None:
    outside = labels[(labels < 0) | (labels >= num_classes)]
    if len(outside):
        raise ValueError(f'label {outside[0]} lies outside [0, {num_classes})')


def _list_answered(study: Study) -> dict[str, RunFolder]:
    """Return method -> its first run with predictions."""
    runs: dict[str, RunFolder] = {}
    for run in study.runs:
        if run.answers is not None:
            runs.setdefault(run.name, run)
    if not runs:
        raise NothingToDraw(
            'no run has predictions; test with --predictions test.npz'
        )
    return runs
