"""An embedding store to a folder that students train on."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import cast

import torch
from mmengine.dist import get_rank
from mmengine.logging import print_log

from ltvl_mm.apis.local_images import leave_copying, place_local_images
from ltvl_mm.apis.retrieval_background import check_background
from ltvl_mm.apis.retrieval_budget import find_budget, resolve_auto_budget
from ltvl_mm.apis.retrieval_classes import NamedClasses, prepare_classes
from ltvl_mm.apis.retrieval_settings import RetrievalSettings, StoreLike
from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.clip.templates import find_templates
from ltvl_mm.retrieval.background_names import NONE, resolve_auto
from ltvl_mm.retrieval.dealing.engine_choice import open_engine
from ltvl_mm.retrieval.reading.download_list import MANIFEST
from ltvl_mm.retrieval.retrieval_report import describe_warning
from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.search.scores import check_num_classes
from ltvl_mm.retrieval.task import RetrievalTask
from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.structures.class_queries import (
    ClassQueries,
    check_query_encoder,
    check_query_width,
    load_queries,
)
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.labeled_embeddings import check_labeled_embeddings
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.structures.store_join import check_encoders, join_stores
from ltvl_mm.structures.store_reader import open_store
from ltvl_mm.utils.launch import broadcast_object
from ltvl_mm.utils.lock import locks_output
from ltvl_mm.utils.remote_paths import as_path


@locks_output('out')
def retrieve(
    store: StoreLike | Sequence[StoreLike],
    out: str | Path,
    settings: RetrievalSettings,
    *,
    engine: str = 'local',
    address: str | None = None,
) -> Manifest:
    """Retrieve web images for each class, and write a folder to train on.

    As ``tools/retrieve.py``: ``images/``, ``manifest.parquet`` and
    ``report.json``; a killed run resumes, and the ranks of a process group
    share the work.

    Args:
        store: The embedded web images: a folder or an opened store; or
            several of one encoder, which are searched as one.
        out: Folder of what is retrieved.
        settings: Classes, budget, encoder and options of the search.
        engine: ``'local'`` for this process or its process group; ``'ray'``
            for a Ray cluster. The manifest has the same bytes.
        address: Address of the Ray cluster; as in :func:`ltvl_mm.embed`.

    Raises:
        ImportError: If ``engine`` is ``'ray'`` and Ray is not installed.
        ValueError: As :func:`prepare_retrieval`; or if the web images have
            changed, or ``out`` was begun with other settings.

    Examples:
        >>> import ltvl_mm
        >>> manifest = ltvl_mm.retrieve(
        ...     'stores/web',
        ...     'retrieved',
        ...     ltvl_mm.RetrievalSettings(
        ...         class_names='class_names.txt',
        ...         exclude=None,
        ...         budget=2,
        ...         pretrained='clip.pth',
        ...     ),
        ... )
        >>> manifest.class_names
        ('cat', 'dog', 'owl')
        >>> manifest.count_classes().tolist()
        [2, 2, 2]
    """
    with open_engine(engine, address=address) as opened:
        task = prepare_retrieval(store, out, settings)
        manifest = run_retrieval(task, out, engine=opened)[0]
    warning = describe_warning(manifest)
    if warning is not None and get_rank() == 0:
        print_log(warning, 'current', logging.WARNING)
    if settings.local_images is None:
        return manifest
    place_local_images(out, settings.local_images)
    return load_manifest(as_path(out) / MANIFEST)


def prepare_retrieval(
    store: StoreLike | Sequence[StoreLike],
    out: str | Path,
    settings: RetrievalSettings,
    *,
    dry_run: bool = False,
) -> RetrievalTask:
    """Encode the classes, and check all that a retrieval depends on.

    Args:
        store: Folder of an embedding store, or the store.
        out: Folder of what is retrieved; the classes' embeddings are kept in
            it, so that every later start has the same.
        settings: Classes, budget, encoder and options of the search.
        dry_run: Write nothing.

    Raises:
        ValueError: If a file is missing or not what it should be, encoders
            differ, or ``out`` was begun with other classes or another
            encoder.
    """
    options = resolve_auto_budget(
        settings.budget, settings.options, settings.val
    )
    if settings.local_images is not None:
        options = leave_copying(options, settings.local_images)
    given = None
    if settings.queries is not None:
        given = load_queries(settings.queries)
    names = _find_names(settings.class_names, given)
    is_one = isinstance(store, (str, PurePath, EmbeddingStore))
    stores = cast(Sequence[StoreLike], [store] if is_one else store)
    store = join_stores([_open(one) for one in stores])
    excluded = [_open(one) for one in settings.exclude or ()]
    check_encoders([store, *excluded])
    if settings.val is not None:
        # Before CLIP is loaded and encodes names.
        val_store = _open(settings.val[0])
        check_encoders([store, val_store])
        check_labeled_embeddings(val_store, settings.val[1], len(names))
    wanted = find_budget(settings.budget, len(names), settings.class_counts)
    if options.temperature == 'auto' and settings.val is None:
        raise ValueError(
            "temperature='auto' is fitted to val images; give their store and "
            'list (--val STORE LIST)'
        )
    background = resolve_auto(
        settings.background,
        len(names),
        options.score,
        has_names=given is None,
    )
    if background == NONE:
        check_num_classes(options.score, len(names))
    check_background(background, has_encoder=given is None)
    if given is not None:
        check_query_width(
            given.embeddings,
            store.dim,
            f'the class queries of {settings.queries}',
            f'the store {store.name}',
        )
    found = None
    if get_rank() == 0:
        classes, encoder = _find_classes(settings, names, given, store)
        # Before the queries are written: the command with other weights then
        # finds the folder as it was.
        check_query_encoder(encoder, store)
        found = prepare_classes(
            as_path(out),
            classes,
            background=background,
            options=options,
            val=settings.val,
            store=store,
            dry_run=dry_run,
        )
    texts, others, temperature = broadcast_object(found)
    return RetrievalTask(
        store,
        texts,
        wanted,
        excluded,
        replace(options, temperature=temperature.value),
        device=settings.device,
        unit_rows=settings.unit_rows,
        index=settings.index,
        verify=settings.verify,
        max_bad_rows=settings.max_bad_rows,
        background=others,
        temperature_source=temperature.describe(),
    )


def _find_classes(
    settings: RetrievalSettings,
    names: tuple[str, ...],
    given: ClassQueries | None,
    store: EmbeddingStore,
) -> tuple[ClassQueries | NamedClasses, dict[str, str]]:
    """Return the classes, and the identity of the encoder of their texts."""
    sentences = find_templates(settings.templates)
    if given is not None:
        return given, given.encoder
    clip = FrozenCLIP(
        settings.arch or store.encoder['arch'],
        settings.pretrained,
        preprocess=settings.preprocess,
        device='cuda' if torch.cuda.is_available() else 'cpu',
    )
    return NamedClasses(names, sentences, clip), clip.identity


def _open(store: StoreLike) -> EmbeddingStore:
    return store if isinstance(store, EmbeddingStore) else open_store(store)


def _find_names(
    class_names: str | Path | Sequence[str] | None,
    given: ClassQueries | None,
) -> tuple[str, ...]:
    if class_names is None:
        if given is None:
            raise ValueError(
                'give class_names, or queries with text features of the '
                'classes'
            )
        return given.class_names
    names = load_class_names(class_names)
    if given is not None and given.class_names != names:
        raise ValueError(
            f'queries hold {len(given.class_names)} classes, '
            f'{given.class_names[0]!r} first, and class_names '
            f'{len(names)}, {names[0]!r} first; leave out class_names'
        )
    return names
