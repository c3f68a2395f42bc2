"""Background classes of a retrieval: read, encoded, cleaned and kept."""

import logging
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from ltvl_mm.apis.background_cleaning import (
    SHOWN,
    clean_background,
    require_encoder,
)
from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.retrieval.background_names import (
    BUILTIN,
    NONE,
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
from ltvl_mm.structures.class_queries import (
    ClassQueries,
    check_query_width,
    load_queries,
)
from ltvl_mm.structures.encoder_identity import find_difference


def check_background(setting: str, *, has_encoder: bool) -> None:
    """Raise ValueError unless a file of background classes can be read.

    It takes no encoder, so that a wrong file is found before CLIP is loaded.

    Args:
        setting: Choice of names, see :func:`choose_background`.
        has_encoder: False if the classes are text features of the user, with
            which :func:`choose_background` refuses names.
    """
    if setting in (BUILTIN, NONE):
        return
    try:
        if Path(setting).suffix == '.npz':
            load_queries(setting)
        elif has_encoder:
            load_class_names(setting)
    except ValueError as error:
        raise ValueError(
            f'--background must be {BUILTIN}, {NONE}, a file with one name '
            f'per line, or a FILE.npz of class queries, got {setting!r}: '
            f'{error}'
        ) from None


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
        kept = clean_background(source, known, given, queries, clip)
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
    made = clean_background(
        source, hash_background(*given), given, queries, clip
    )
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
        check_query_width(
            given.embeddings,
            queries.embeddings.shape[1],
            f'the background classes of {setting}',
            'the classes',
        )
        return Path(setting).name, (
            given.class_names,
            given.templates,
            given.embeddings,
        )
    require_encoder(clip, setting)
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


def _log(background: Background) -> None:
    left_out = background.left_out
    shown = ', '.join(
        f'{name} ({reason})' for name, reason in list(left_out.items())[:SHOWN]
    )
    more = ', ...' if len(left_out) > SHOWN else ''
    print_log(
        f'background classes: {len(background.queries.class_names)} of '
        f'{background.source}; {len(left_out)} are left out as (nearly) those '
        f'of classes{": " if shown else ""}{shown}{more}',
        'current',
        level=logging.INFO,
    )
