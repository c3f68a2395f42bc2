"""Precision of web images with and without background classes."""

import csv
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from ltvl_mm.apis.retrieval_background import make_background
from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.evaluation.retrieval_precision import compute_precision_at_r
from ltvl_mm.evaluation.temperature import (
    describe_weak_fit,
    fit_temperature,
)
from ltvl_mm.retrieval.search.scores import RowScores
from ltvl_mm.structures.background import Background, join_queries
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.labeled_embeddings import LabeledEmbeddings
from ltvl_mm.utils.rng import make_generator

_ROWS = 1024
_CONFIDENT = 0.5


@dataclass(frozen=True)
class BackgroundComparison:
    """Numbers of one way to score N web images, in percent.

    Attributes:
        precision: R-precision, the mean over classes.
        argmax: The same if an image counts for its best class only.
        cosine: The same of the plain cosine.
        confident: Images of which a class has p >= 0.5.
        correct: Share of these that show that class; NaN without any.
        temperature: Temperature of the softmax.
        names: Background classes.
    """

    precision: float
    argmax: float
    cosine: float
    confident: float
    correct: float
    temperature: float
    names: int


def read_truth(
    path: str | Path, keys: Sequence[str], class_names: Sequence[str]
) -> np.ndarray:
    """Return the (N,) classes that web images show, -1 for none of K.

    Args:
        path: ``web_truth.csv`` of an emoji world, with key and class_name.
        keys: N keys of a store.
        class_names: K names, each once.

    Raises:
        ValueError: If a name repeats, or an image has no row.
    """
    repeated = [n for n, count in Counter(class_names).items() if count > 1]
    if repeated:
        raise ValueError(
            f'{path} tells images by the name of their class, but '
            f'{repeated[0]!r} names several classes; give each class a name '
            f'of its own'
        )
    with open(path, encoding='utf-8', newline='') as file:
        shown = {row['key']: row['class_name'] for row in csv.DictReader(file)}
    missing = [key for key in keys if key not in shown]
    if missing:
        raise ValueError(
            f'{path} has no row for {len(missing)} of {len(keys)} images of '
            f'the store, such as {missing[0]}; give the truth of its web '
            f'images'
        )
    label = {name: number for number, name in enumerate(class_names)}
    return np.array([label.get(shown[key], -1) for key in keys])


def compare_scores(
    images: np.ndarray,
    labels: np.ndarray,
    queries: ClassQueries,
    background: Background | None,
    temperature: float,
) -> BackgroundComparison:
    """Return the numbers of one softmax.

    Args:
        images: (N, D) web images, L2-normalized.
        labels: (N,) classes, -1 for none.
        queries: K classes.
        background: Further classes of the softmax; None for none.
        temperature: Temperature of the softmax, > 0.
    """
    texts = join_queries(queries, background).astype(np.float64)
    classes = len(queries.class_names)
    odds, cosines, best = [], [], []
    for start in range(0, len(images), _ROWS):
        products = images[start : start + _ROWS].astype(np.float64) @ texts.T
        cosines.append(products[:, :classes].copy())
        summary = RowScores(products / temperature, 'softmax')
        pairs = np.indices(cosines[-1].shape).reshape(2, -1)
        odds.append(summary.score(*pairs).reshape(cosines[-1].shape))
        best.append(summary.best_class)
    odds, first = np.concatenate(odds), np.concatenate(best)
    inside = first[:, None] == np.arange(classes)
    confident = odds.max(1) >= np.log(_CONFIDENT / (1 - _CONFIDENT))
    right = labels[confident] == odds[confident].argmax(1)
    return BackgroundComparison(
        compute_precision_at_r(odds, labels),
        compute_precision_at_r(np.where(inside, odds, -np.inf), labels),
        compute_precision_at_r(np.concatenate(cosines), labels),
        float(100 * confident.mean()),
        float(100 * right.mean()) if len(right) else float('nan'),
        temperature,
        len(texts) - classes,
    )


def compare_backgrounds(
    store: EmbeddingStore,
    truth: str | Path,
    queries: ClassQueries,
    clip: FrozenCLIP,
    *,
    sizes: Sequence[int],
    draws: int,
    setting: str,
    val: LabeledEmbeddings | None = None,
) -> list[tuple[int, str, str, BackgroundComparison]]:
    """Compare softmaxes over subsets of the classes.

    Args:
        store: N web images.
        truth: File of the classes that web images show, see
            :func:`read_truth`.
        queries: K classes.
        clip: Their encoder.
        sizes: Numbers of classes, each at most K.
        draws: Random subsets of each size below K; their numbers are
            averaged.
        setting: Background classes, see
            :func:`ltvl_mm.apis.retrieval_background.choose_background`.
        val: Val images, to which temperatures are fitted, too; None for the
            temperature of the encoder only.

    Returns:
        (number of classes, ``'none'`` or ``setting``, ``'own'`` or
        ``'fitted'``, mean numbers) of each way.
    """
    names = queries.class_names
    keys = store.read_metadata(np.arange(len(store)), ('image_path',))
    labels = read_truth(truth, keys['image_path'], names)
    images = store.read_rows(np.arange(len(store)))
    rng = make_generator(0)
    found = []
    for size in sizes:
        if not 1 < size <= len(names):
            raise ValueError(
                f'a subset must have 2 to {len(names)} classes, got {size}'
            )
        numbers: dict[tuple[str, str], list[BackgroundComparison]] = {}
        for _ in range(draws if size < len(names) else 1):
            chosen = np.sort(rng.choice(len(names), size, replace=False))
            some = _pick(queries, chosen)
            for one in ('none', setting):
                background = make_background(one, some, clip)
                for name, temperature in _list_temperatures(
                    clip, some, background, val, chosen
                ):
                    numbers.setdefault((one, name), []).append(
                        compare_scores(
                            images,
                            _renumber(labels, chosen),
                            some,
                            background,
                            temperature,
                        )
                    )
        for (one, name), results in numbers.items():
            found.append((size, one, name, _average(results)))
    return found


def _pick(queries: ClassQueries, chosen: np.ndarray) -> ClassQueries:
    return ClassQueries(
        tuple(queries.class_names[label] for label in chosen),
        queries.templates,
        queries.embeddings[chosen],
        queries.encoder,
    )


def _renumber(labels: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return labels as indices of ``chosen``; -1 for the others."""
    places = np.searchsorted(chosen, labels).clip(max=len(chosen) - 1)
    return np.where(chosen[places] == labels, places, -1)


def _list_temperatures(
    clip: FrozenCLIP,
    queries: ClassQueries,
    background: Background | None,
    val: LabeledEmbeddings | None,
    chosen: np.ndarray,
) -> list[tuple[str, float]]:
    found = [('own', clip.temperature)]
    if val is not None:
        labels = _renumber(val.labels, chosen)
        texts = join_queries(queries, background)
        inside = labels >= 0
        fitted = fit_temperature(
            val.embeddings[inside] @ texts.T, labels[inside]
        )
        doubt = describe_weak_fit(fitted, int(inside.sum()))
        if doubt is not None:
            print_log(
                f'the fitted temperature of {len(chosen)} classes is not '
                f'reliable: {doubt}',
                'current',
                level=logging.WARNING,
            )
        found.append(('fitted', fitted))
    return found


def _average(results: Sequence[BackgroundComparison]) -> BackgroundComparison:
    return BackgroundComparison(
        precision=_mean([one.precision for one in results]),
        argmax=_mean([one.argmax for one in results]),
        cosine=_mean([one.cosine for one in results]),
        confident=_mean([one.confident for one in results]),
        correct=_mean([one.correct for one in results]),
        temperature=_mean([one.temperature for one in results]),
        names=round(_mean([one.names for one in results])),
    )


def _mean(numbers: Sequence[float]) -> float:
    """Return the mean of the numbers that are not NaN; NaN without any."""
    known = [number for number in numbers if not np.isnan(number)]
    return float(np.mean(known)) if known else float('nan')
