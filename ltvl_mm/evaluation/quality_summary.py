"""Summarize the quality of a retrieval without labels of web images."""

import numpy as np

from ltvl_mm.evaluation.functional import (
    compute_class_accuracies,
    summarize_accuracies,
)
from ltvl_mm.evaluation.precision_estimator import (
    PrecisionEstimator,
    describe_bias,
)
from ltvl_mm.evaluation.retrieval_quality import (
    RANKS,
    average_ranks,
    choose_references,
    compute_probabilities,
    find_sinking_classes,
    pick_ranks,
    summarize_by_group,
)
from ltvl_mm.evaluation.retrieval_warnings import (
    MIN_BEST,
    QualityNumbers,
    find_warnings,
)
from ltvl_mm.evaluation.temperature import fit_temperature
from ltvl_mm.structures.background import Background, join_queries
from ltvl_mm.structures.class_counts import GROUPS, group_classes
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.labeled_embeddings import LabeledEmbeddings
from ltvl_mm.structures.manifest import Manifest

# Of the images that --budget should keep when later ones are wrong.
_BEST_RANKS = 10


def measure_quality(
    manifest: Manifest,
    queries: ClassQueries,
    embeddings: np.ndarray,
    val: LabeledEmbeddings,
    counts: np.ndarray,
    *,
    background: Background | None = None,
) -> dict:
    """Return accuracies, probabilities and precision of M retrieved images.

    Args:
        manifest: M rows.
        queries: K classes.
        embeddings: (M, D) of the manifest's images, L2-normalized.
        val: Labeled val images.
        counts: (K,) original training images.
        background: Further classes of the softmax; None (default) for none.

    Returns:
        JSON-like; see :func:`ltvl_mm.apis.check_retrieval`.
    """
    total, groups = len(counts), group_classes(counts)
    rows = np.arange(len(manifest)), manifest.class_id
    texts = join_queries(queries, background)
    val_cosines = val.embeddings @ texts.T  # (N, K + background)
    cosines = embeddings @ texts.T
    used = manifest.temperature
    fitted = fit_temperature(val_cosines, val.labels)
    # Calibrated probabilities say what CLIP knows, whatever scale it has.
    calibrated = compute_probabilities(cosines, fitted)[rows]
    val_probabilities = compute_probabilities(val_cosines, fitted)
    chosen = choose_references(val.labels, total)
    precision = PrecisionEstimator(
        manifest.class_id,
        calibrated,
        embeddings,
        LabeledEmbeddings(val.embeddings[chosen], val.labels[chosen]),
        val_probabilities[chosen],
    )

    # Zero-shot accuracy is that of the classes alone.
    pred = val_probabilities[:, :total].argmax(1)
    columns = {
        'zero_shot': compute_class_accuracies(pred, val.labels, total),
        **_pick_columns(compute_probabilities(cosines, used)[rows], manifest),
        'agreement': precision.average_by_class(total),
        **_name_ranks(
            'expected_precision',
            100
            * average_ranks(
                calibrated, manifest.class_id, manifest.rank, total
            ),
        ),
    }
    # (M,) bool: the retrieved images of a group of classes.
    images = {name: groups[manifest.class_id] == name for name in GROUPS}
    images['all'] = np.ones(len(manifest), bool)
    best = pick_ranks(
        calibrated, manifest.class_id, manifest.rank, total, (1,)
    )[:, 0]
    result = {
        'chance': 100 / total,
        'val_images': len(val.labels),
        'zero_shot': summarize_accuracies(pred, val.labels, groups),
        'temperature': {'used': used, 'fitted_to_val': fitted},
        'uncertain_classes': _count_uncertain(best),
        'sinking_classes': find_sinking_classes(
            calibrated, manifest.class_id, manifest.rank, total
        ).tolist(),
        'precision': {
            name: precision.estimate(inside) for name, inside in images.items()
        },
        'precision_by': {
            name: precision.name_method(inside)
            for name, inside in images.items()
        },
        'precision_bias': describe_bias(
            total, has_background=background is not None
        ),
        'precision_of_the_best': precision.estimate(
            manifest.rank < _BEST_RANKS
        ),
        'groups': summarize_by_group(columns, groups),
        'classes': _describe_classes(manifest, counts, columns, val.labels),
    }
    result['warnings'] = [
        warning.to_json()
        for warning in find_warnings(_collect_numbers(result, manifest))
    ]
    return result


def _pick_columns(
    probabilities: np.ndarray, manifest: Manifest
) -> dict[str, np.ndarray]:
    table = pick_ranks(
        probabilities,
        manifest.class_id,
        manifest.rank,
        len(manifest.class_names),
    )
    return _name_ranks('probability', table)


def _name_ranks(name: str, table: np.ndarray) -> dict[str, np.ndarray]:
    return {
        f'{name}_{rank}': table[:, column] for column, rank in enumerate(RANKS)
    }


def _count_uncertain(best: np.ndarray) -> float | None:
    known = best[~np.isnan(best)]
    return float(100 * (known < MIN_BEST).mean()) if len(known) else None


def _describe_classes(
    manifest: Manifest,
    counts: np.ndarray,
    columns: dict[str, np.ndarray],
    val_labels: np.ndarray,
) -> list[dict]:
    groups = group_classes(counts)
    retrieved = manifest.count_classes()
    val_count = np.bincount(val_labels, minlength=len(counts))
    return [
        {
            'class_id': label,
            'name': name,
            'group': str(groups[label]),
            'training_images': int(counts[label]),
            'val_images': int(val_count[label]),
            'retrieved': int(retrieved[label]),
            **{
                key: None if np.isnan(column[label]) else float(column[label])
                for key, column in columns.items()
            },
        }
        for label, name in enumerate(manifest.class_names)
    ]


def _list_empty(manifest: Manifest) -> list[str]:
    """Return the names of classes that got none of the wanted images."""
    wanted = manifest.source.get('budget') or [0] * len(manifest.class_names)
    found = manifest.count_classes()
    return [
        name
        for name, budget, count in zip(
            manifest.class_names, wanted, found, strict=True
        )
        if budget and not count
    ]


def _collect_numbers(result: dict, manifest: Manifest) -> QualityNumbers:
    few = result['zero_shot'].get('few')
    return QualityNumbers(
        num_classes=len(manifest.class_names),
        zero_shot=result['zero_shot']['all'] if few is None else few,
        zero_shot_group='all' if few is None else 'few-shot',
        unknown_names=[
            entry['name']
            for entry in result['classes']
            if entry['zero_shot'] == 0
        ],
        uncertain_classes=result['uncertain_classes'],
        precision=result['precision']['all'],
        precision_by=result['precision_by']['all'],
        precision_bias=result['precision_bias'],
        best_precision=result['precision_of_the_best'],
        temperature=result['temperature']['used'],
        fitted_temperature=result['temperature']['fitted_to_val'],
        sinking_names=[
            manifest.class_names[label] for label in result['sinking_classes']
        ],
        empty_names=_list_empty(manifest),
        low_yield=manifest.explain_low_yield(),
        needs_fit=manifest.needs_fit,
        options=manifest.source,
    )
