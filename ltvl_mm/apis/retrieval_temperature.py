"""Temperature of a retrieval: the encoder's own, fitted, or given."""

import logging
from numbers import Real
from pathlib import Path

from mmengine.logging import print_log

from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.evaluation.temperature import (
    HIGHEST,
    LOWEST,
    compute_nll,
    describe_weak_fit,
    fit_temperature,
)
from ltvl_mm.retrieval.options import RetrievalOptions
from ltvl_mm.structures.background import Background, join_queries
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.labeled_embeddings import read_labeled_embeddings
from ltvl_mm.structures.softmax_temperature import (
    ENOUGH_VAL,
    SoftmaxTemperature,
)


def choose_temperature(
    options: RetrievalOptions,
    queries: ClassQueries,
    clip: FrozenCLIP | None,
    val: tuple[str | Path | EmbeddingStore, str | Path] | None,
    background: Background | None = None,
) -> SoftmaxTemperature:
    """Return the temperature that options ask for; log where it is from.

    None is fitted like ``'auto'`` if there are at least 50 val images and
    further classes, whose number makes all probabilities small, or if the
    queries come without an encoder; else it is the encoder's. Without
    further classes the encoder's own was better on the emoji world: val
    images all show a class, and web images need not. It is kept, too, where
    the fit ends at a limit of the search, with a warning.

    Args:
        options: With a temperature of None, ``'auto'`` or a number.
        queries: K classes.
        clip: The encoder of the queries; None if they are text features of
            the user.
        val: Store of val images and their ``path label`` list; None without
            them.
        background: Further classes of the softmax; None for none.

    Raises:
        ValueError: If the val images come from another encoder, or are not
            in their store, or text features come without a temperature.
    """
    if isinstance(options.temperature, Real):
        if val is not None:
            print_log(
                f'temperature {float(options.temperature):g}, as given: the '
                f'val images are not used for it',
                'current',
            )
        return SoftmaxTemperature(float(options.temperature), 'given')
    if val is None:
        if options.temperature is not None:
            raise ValueError(
                "the temperature 'auto' is fitted to val images; give their "
                'store and list'
            )
        return _take_own(clip)
    texts = join_queries(queries, background)
    if len(texts) < 2:
        return _take_own_for_one_class(options, clip)
    images = read_labeled_embeddings(*val, queries)
    cosines = images.embeddings @ texts.T
    fitted = fit_temperature(cosines, images.labels)
    likelihood = -compute_nll(cosines, images.labels, fitted)
    count = len(images.labels)
    doubt = describe_weak_fit(fitted, count)
    compared = ''
    if clip is not None:
        nll = compute_nll(cosines, images.labels, clip.temperature)
        own = f'{clip.temperature:g}, of the logit scale of {clip.arch}'
        compared = f'; {-nll:.3f} at {own}'
        few = background is None or count < ENOUGH_VAL
        if options.temperature is None and few:
            print_log(
                f'temperature {own}: mean log-likelihood {-nll:.3f} of '
                f'{count} val images; {likelihood:.3f} at {fitted:g}, which '
                f'--temperature auto takes',
                'current',
            )
            return SoftmaxTemperature(clip.temperature, 'encoder')
        if options.temperature is None and not LOWEST < fitted < HIGHEST:
            print_log(
                f'temperature {own}, and not the one that is fitted to val: '
                f'{doubt}. --temperature auto takes it all the same',
                'current',
                level=logging.WARNING,
            )
            return SoftmaxTemperature(clip.temperature, 'encoder')
    print_log(
        f'temperature {fitted:g}, fitted to {count} val images: mean '
        f'log-likelihood {likelihood:.3f}{compared}',
        'current',
    )
    if doubt is not None:
        print_log(
            f'the probabilities of this retrieval are not reliable: {doubt}. '
            f'Give more val images (--val STORE LIST), or a temperature '
            f'(--temperature NUMBER)',
            'current',
            level=logging.WARNING,
        )
    return SoftmaxTemperature(fitted, 'val', count)


def _take_own_for_one_class(
    options: RetrievalOptions, clip: FrozenCLIP | None
) -> SoftmaxTemperature:
    """Return the temperature of the encoder, where none can be fitted."""
    if options.temperature is not None:
        raise ValueError(
            "temperature='auto' (--temperature auto) is fitted to a softmax "
            'over several names, and there is one class without background '
            'names; leave it out, or add names (--background builtin)'
        )
    if clip is None:
        raise ValueError(
            'text features of your own have no temperature, and none can be '
            'fitted to val for one class without background names; give a '
            'number (--temperature 0.01 for CLIP)'
        )
    print_log(
        'the val images are not used: one class without background names has '
        'no softmax to fit',
        'current',
    )
    return _take_own(clip)


def _take_own(clip: FrozenCLIP | None) -> SoftmaxTemperature:
    """Return and log the temperature of the encoder."""
    if clip is None:
        raise ValueError(
            'text features of your own have no logit scale to take the '
            'temperature from; give a number (--temperature 0.01 for '
            'CLIP), or auto with val images (--temperature auto --val '
            'STORE LIST)'
        )
    print_log(
        f'temperature {clip.temperature:g}, of the logit scale of {clip.arch}',
        'current',
    )
    return SoftmaxTemperature(clip.temperature, 'encoder')
