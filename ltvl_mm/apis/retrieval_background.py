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

    Those of an earlier start are read from the folder, since another machine
    would round their embeddings differently.

    Args:
        setting: ``'none'``, ``'builtin'``, a file of names, or a ``.npz`` of
            class queries.
        folder: Folder of what is retrieved.
        queries: K classes.
        clip: Their encoder; None if the classes are text features of the
            user, which need a ``.npz`` here, too.
        dry_run: Write nothing.

    Raises:
        ValueError: If names are given without an encoder, the embeddings
            come from another one, all names are those of classes, or the
            folder was begun with other background classes.
    """
    kept = find_background(folder)
    if setting == NONE:
        if kept is not None:
            raise _refuse(folder)
        print_log('background classes: none', 'current')
        return None
    source, given = _read_source(setting, queries, clip)
    known = hash_background(*given)
    if kept is None:
        kept = _clean(source, known, given, queries, clip)
        if not dry_run:
            save_background(folder / FILE, kept)
    elif (kept.source, kept.given) != (source, known):
        raise _refuse(folder)
    _log(kept)
    return kept


def make_background(
    setting: str, queries: ClassQueries, clip: FrozenCLIP | None
) -> Background | None:
    """Return background classes that no folder keeps, and log them.

    Args:
        setting: Choice of names, see :func:`choose_background`.
        queries: K classes.
        clip: Their encoder; None if the classes are text features.

    Raises:
        ValueError: As :func:`choose_background`, folder aside.
    """
    if setting == NONE:
        return None
    source, given = _read_source(setting, queries, clip)
    made = _clean(source, hash_background(*given), given, queries, clip)
    _log(made)
    return made


def _refuse(folder: Path) -> ValueError:
    return ValueError(
        f'{folder} was begun with other background classes; choose another '
        f'folder or delete it'
    )


def _read_source(
    setting: str, queries: ClassQueries, clip: FrozenCLIP | None
) -> tuple[str, tuple[tuple[str, ...], tuple[str, ...], np.ndarray]]:
    """Return where background classes come from, and what is given of them.

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
    """Return the background classes that are none of the classes."""
    names, templates, embeddings = given
    left_out = find_same_names(names, queries.class_names)
    rows = [row for row, name in enumerate(names) if name not in left_out]
    if len(embeddings):
        embeddings = embeddings[rows]
    elif rows:
        some = [names[row] for row in rows]
        encoder = _require_encoder(clip, source)
        too_long = encoder.find_long_names(some, templates)
        left_out |= {name: 'too long for the text tower' for name in too_long}
        rows = [row for row in rows if names[row] not in too_long]
        some = [names[row] for row in rows]
        if some:
            embeddings = encoder.encode_class_names(some, templates).numpy()
    if rows:
        some = [names[row] for row in rows]
        left_out |= find_synonyms(
            some, embeddings, queries.class_names, queries.embeddings
        )
    kept = [i for i, row in enumerate(rows) if names[row] not in left_out]
    if not kept:
        raise ValueError(
            f'all {len(names)} background classes of {source} are names of '
            f'classes or near-synonyms of them; give other names, or '
            f'--background none'
        )
    return Background(
        ClassQueries(
            tuple(names[rows[i]] for i in kept),
            templates,
            embeddings[kept],
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
