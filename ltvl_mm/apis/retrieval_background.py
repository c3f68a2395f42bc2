"""Background classes of a retrieval: read, encoded, cleaned and kept."""

import logging
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.retrieval.background_names import (
    BUILTIN,
    NONE,
    find_same_names,
    find_synonyms,
    load_builtin_names,
    thin_templates,
)
from ltvl_mm.structures.background import (
    FILE,
    Background,
    find_background,
    hash_background,
    save_background,
)
from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.structures.class_queries import ClassQueries, load_queries
from ltvl_mm.structures.encoder_identity import find_difference

# Names that a message lists.
_SHOWN = 10


def choose_background(
    setting: str,
    folder: Path,
    queries: ClassQueries,
    clip: FrozenCLIP | None,
    *,
    dry_run: bool = False,
) -> Background | None:
    """Return the background classes of a retrieval, and log what they are.

    Background classes of an earlier start are read from the folder, since
    another machine would round their embeddings differently.

    Args:
        setting: ``'none'``, ``'builtin'``, a file of names, or a ``.npz`` of
            class queries.
        folder: Folder of what is retrieved.
        queries: Names and embeddings of the K classes.
        clip: Encoder of the classes; None if they are text features of the
            user, which need a ``.npz`` here, too.
        dry_run: True to write no file; default False.

    Raises:
        ValueError: If names are given without an encoder, the embeddings
            come from another one, all names are those of classes, or the
            folder was begun with other background classes.
    """
    kept = find_background(folder)
    if setting == NONE:
        if kept is not None:
            raise _make_conflict_error(folder)
        print_log('background classes: none', 'current')
        return None
    source, given = _read_source(setting, queries, clip)
    known = hash_background(*given)
    if kept is None:
        kept = _clean(source, known, given, queries, clip)
        if not dry_run:
            save_background(folder / FILE, kept)
    elif (kept.source, kept.given) != (source, known):
        raise _make_conflict_error(folder)
    _log(kept)
    return kept


def make_background(
    setting: str, queries: ClassQueries, clip: FrozenCLIP | None
) -> Background | None:
    """Return and log background classes without saving them in a folder.

    Args:
        setting: Choice of names, see :func:`choose_background`.
        queries: Names and embeddings of the K classes.
        clip: Encoder of the classes; None if they are text features of the
            user, which need a ``.npz`` here, too.

    Raises:
        ValueError: If names are given without an encoder, the embeddings
            come from another encoder, or all names are those of classes.
    """
    if setting == NONE:
        return None
    source, given = _read_source(setting, queries, clip)
    made = _clean(source, hash_background(*given), given, queries, clip)
    _log(made)
    return made


def _make_conflict_error(folder: Path) -> ValueError:
    return ValueError(
        f'{folder} was begun with other background classes; choose another '
        f'folder or delete it'
    )


def _read_source(
    setting: str, queries: ClassQueries, clip: FrozenCLIP | None
) -> tuple[str, tuple[tuple[str, ...], tuple[str, ...], np.ndarray]]:
    """Return the source of background classes, and their names or embeddings.

    Returns:
        Source; and names, templates, and (M, D) embeddings, (0, 0) if they
        are not encoded yet.
    """
    if setting != BUILTIN and Path(setting).suffix == '.npz':
        given = load_queries(setting)
        name = find_difference(given.encoder, queries.encoder)
        if name is not None:
            raise ValueError(
                f'the background classes of {setting} and the classes come '
                f'from different encoders: {name} is '
                f'{given.encoder.get(name)!r} there and '
                f'{queries.encoder.get(name)!r} here; encode both with the '
                f'same model'
            )
        return Path(setting).name, (
            given.class_names,
            given.templates,
            given.embeddings,
        )
    _require_encoder(clip, setting)
    names = (
        load_builtin_names()
        if setting == BUILTIN
        else load_class_names(setting)
    )
    templates = tuple(queries.templates)
    if any(not isinstance(one, str) for one in templates):
        raise ValueError(
            'the templates are lists of sentences per class, which background '
            'classes have none of; give --background FILE.npz with class '
            'queries of your own, or --background none'
        )
    source = BUILTIN if setting == BUILTIN else Path(setting).name
    return source, (names, thin_templates(templates), np.empty((0, 0)))


def _require_encoder(clip: FrozenCLIP | None, setting: str) -> FrozenCLIP:
    """Return the encoder; raise ValueError if names have none."""
    if clip is None:
        raise ValueError(
            f'background={setting!r} names classes, but the classes are given '
            f'as text features, so that nothing encodes names: give the '
            f'background as text features of the same encoder, too '
            f'(--background FILE.npz, class queries), or --background none'
        )
    return clip


def _clean(
    source: str,
    known: str,
    given: tuple[tuple[str, ...], tuple[str, ...], np.ndarray],
    queries: ClassQueries,
    clip: FrozenCLIP | None,
) -> Background:
    """Return the background classes without those that name a class."""
    all_names, templates, embeddings = given
    left_out = find_same_names(all_names, queries.class_names)
    # Given embeddings belong to all names, in the same order.
    if len(embeddings):
        embeddings = embeddings[[name not in left_out for name in all_names]]
    candidate_names = [name for name in all_names if name not in left_out]
    if candidate_names and not len(embeddings):
        encoder = _require_encoder(clip, source)
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


def _log(background: Background) -> None:
    left_out = background.left_out
    shown = ', '.join(
        f'{name} ({reason})'
        for name, reason in list(left_out.items())[:_SHOWN]
    )
    more = ', ...' if len(left_out) > _SHOWN else ''
    print_log(
        f'background classes: {len(background.queries.class_names)} of '
        f'{background.source}; {len(left_out)} are left out as (nearly) those '
        f'of classes{": " if shown else ""}{shown}{more}',
        'current',
        level=logging.INFO,
    )
