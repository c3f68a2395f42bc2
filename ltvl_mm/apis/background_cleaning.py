"""Removal of background classes that name a class or repeat another."""

import logging
from collections.abc import Sequence

import numpy as np
from mmengine.logging import print_log

from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.retrieval.background_names import (
    ENOUGH_TEXTS,
    find_same_names,
    find_synonyms,
    mask_repeated_names,
    pick_reference_names,
    thin_templates,
)
from ltvl_mm.structures.background import Background
from ltvl_mm.structures.class_queries import ClassQueries

# Names that a message lists.
SHOWN = 10


def clean_background(
    source: str,
    known: str,
    given: tuple[tuple[str, ...], tuple[str, ...], np.ndarray],
    queries: ClassQueries,
    clip: FrozenCLIP | None,
) -> Background:
    """Return the background classes without those that name a class.

    Args:
        source: ``'builtin'``, or the file that they come from.
        known: Hash of the names as they are given.
        given: M names, their templates, and (M, D) embeddings; (0, 0) if they
            are not encoded yet.
        queries: Names and embeddings of the K classes.
        clip: Encoder of the classes; None if they are text features of the
            user.

    Raises:
        ValueError: If names are given without an encoder, or all are those of
            classes.
    """
    all_names, templates, embeddings = _drop_repeats(source, given)
    left_out = find_same_names(all_names, queries.class_names)
    # Given embeddings belong to all names, in the same order.
    if len(embeddings):
        embeddings = embeddings[[name not in left_out for name in all_names]]
    candidate_names = [name for name in all_names if name not in left_out]
    if candidate_names and not len(embeddings):
        encoder = require_encoder(clip, source)
        encoded, too_long = encoder.encode_fitting_names(
            candidate_names, templates
        )
        embeddings = encoded.numpy()
        left_out |= {name: 'too long for the text tower' for name in too_long}
        candidate_names = [
            name for name in candidate_names if name not in too_long
        ]
    if candidate_names:
        left_out |= find_synonyms(
            candidate_names,
            embeddings,
            queries.class_names,
            queries.embeddings,
            mean=_find_mean(candidate_names, queries, clip),
        )
    kept_rows = [
        row for row, name in enumerate(candidate_names) if name not in left_out
    ]
    if not kept_rows:
        raise ValueError(
            f'all {len(all_names)} background classes of {source} are names '
            f'of classes or near-synonyms of them; give other names, or '
            f'--background none'
        )
    return Background(
        ClassQueries(
            tuple(candidate_names[row] for row in kept_rows),
            templates,
            embeddings[kept_rows],
            queries.encoder,
        ),
        source,
        known,
        left_out,
    )


def require_encoder(clip: FrozenCLIP | None, setting: str) -> FrozenCLIP:
    """Return the encoder; raise ValueError if names have none.

    Args:
        clip: Encoder of the classes; None without.
        setting: Choice of background classes, for the message.
    """
    if clip is None:
        raise ValueError(
            f'background={setting!r} names classes, but the classes are given '
            f'as text features, so that nothing encodes names: give the '
            f'background as text features of the same encoder, too '
            f'(--background FILE.npz, class queries), or --background none'
        )
    return clip


def _drop_repeats(
    source: str, given: tuple[tuple[str, ...], tuple[str, ...], np.ndarray]
) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    """Return names, templates and embeddings without those that repeat.

    Each occurrence would take its own share of the softmax.
    """
    names, templates, embeddings = given
    repeated = mask_repeated_names(
        names, embeddings if len(embeddings) else None
    )
    if not repeated.any():
        return given
    once = dict.fromkeys(names[row] for row in np.flatnonzero(repeated))
    shown = ', '.join(list(once)[:SHOWN])
    print_log(
        f'{repeated.sum()} background names of {source} repeat earlier ones '
        f'and are left out, so that each counts once: {shown}'
        f'{", ..." if len(once) > SHOWN else ""}',
        'current',
        level=logging.WARNING,
    )
    kept = np.flatnonzero(~repeated)
    return (
        tuple(names[row] for row in kept),
        templates,
        embeddings[kept] if len(embeddings) else embeddings,
    )


def _find_mean(
    names: Sequence[str],
    queries: ClassQueries,
    clip: FrozenCLIP | None,
) -> np.ndarray | None:
    """Return the (D,) mean text if classes and names are too few for one.

    None if they have a mean of their own, or nothing encodes other names.
    """
    if clip is None or len(names) + len(queries.class_names) >= ENOUGH_TEXTS:
        return None
    if any(not isinstance(one, str) for one in queries.templates):
        return None  # sentences per class
    templates = thin_templates(queries.templates)
    encoded, _ = clip.encode_fitting_names(pick_reference_names(), templates)
    return encoded.numpy().mean(0) if len(encoded) else None
