"""An embedding store to a folder that students train on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any, cast

import torch
from mmengine.dist import get_rank

from ltvl_mm.apis.local_images import leave_copying, place_local_images
from ltvl_mm.apis.retrieval_budget import find_budget, resolve_auto_budget
from ltvl_mm.apis.retrieval_classes import NamedClasses, prepare_classes
from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.clip.templates import find_templates
from ltvl_mm.clip.text_encoder import Templates
from ltvl_mm.retrieval.background_names import AUTO, resolve_auto
from ltvl_mm.retrieval.dealing.engine_choice import open_engine
from ltvl_mm.retrieval.options import (
    MAX_BAD_ROWS,
    UNIT_ROWS,
    RetrievalOptions,
)
from ltvl_mm.retrieval.reading.download_list import MANIFEST
from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.task import RetrievalTask
from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.structures.class_queries import (
    ClassQueries,
    check_query_encoder,
    load_queries,
)
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.structures.store_join import check_encoders, join_stores
from ltvl_mm.structures.store_reader import open_store
from ltvl_mm.utils.launch import broadcast_object
from ltvl_mm.utils.lock import locks_output
from ltvl_mm.utils.remote_paths import as_path

StoreLike = str | Path | EmbeddingStore


@locks_output('out')
def retrieve(
    store: StoreLike | Sequence[StoreLike],
    out: str | Path,
    *,
    class_names: str | Path | Sequence[str] | None = None,
    exclude: Sequence[StoreLike] | None,
    local_images: Sequence[str | Path] | None = None,
    engine: str = 'local',
    address: str | None = None,
    **settings: Any,
) -> Manifest:
    """Retrieve web images for each class, and write a folder to train on.

    As ``tools/retrieve.py``: ``images/``, ``manifest.parquet`` and
    ``report.json``; a killed run resumes, and the ranks of a process group
    share the work.

    Args:
        store: The embedded web images: a folder or an opened store; or
            several of one encoder, which are searched as one.
        out: Folder of what is retrieved.
        class_names: K names, or a file with one per line; None if
            ``queries`` are given.
        exclude: Stores of val and test images, of which no copy is
            retrieved; None if there is no test set to protect.
        local_images: Folders with the image files that the keys of a store of
            another program name. The retrieved ones are copied from there;
            see :mod:`ltvl_mm.apis.local_images`. None copies from the files
            that ``embed`` has read.
        engine: ``'local'`` for this process or its process group; ``'ray'``
            for a Ray cluster. The manifest has the same bytes.
        address: Address of the Ray cluster; as in :func:`ltvl_mm.embed`.
        settings: Further arguments of :func:`prepare_retrieval`, such as
            ``budget``.

    Raises:
        ImportError: If ``engine`` is ``'ray'`` and Ray is not installed.
        ValueError: As :func:`prepare_retrieval`; or if the web images have
            changed, or ``out`` was begun with other settings.

    Examples:
        >>> import ltvl_mm
        >>> manifest = ltvl_mm.retrieve(
        ...     'stores/web',
        ...     'retrieved',
        ...     class_names='class_names.txt',
        ...     exclude=None,
        ...     budget=2,
        ...     pretrained='clip.pth',
        ... )
        >>> manifest.class_names
        ('cat', 'dog', 'owl')
        >>> manifest.count_classes().tolist()
        [2, 2, 2]
    """
    with open_engine(engine, address=address) as opened:
        task = prepare_retrieval(
            store,
            out,
            class_names=class_names,
            exclude=exclude,
            local_images=local_images,
            **settings,
        )
        manifest = run_retrieval(task, out, engine=opened)[0]
    if local_images is None:
        return manifest
    place_local_images(out, local_images)
    return load_manifest(as_path(out) / MANIFEST)


def prepare_retrieval(
    store: StoreLike | Sequence[StoreLike],
    out: str | Path,
    *,
    class_names: str | Path | Sequence[str] | None = None,
    exclude: Sequence[StoreLike] | None,
    queries: str | Path | None = None,
    budget: int | str | Path | Sequence[int] = 300,
    class_counts: str | Path | Sequence[int] | None = None,
    templates: str | Templates = 'openai_80',
    background: str | Path = AUTO,
    arch: str | None = None,
    pretrained: str | None = None,
    preprocess: str | Mapping[str, object] | None = None,
    options: RetrievalOptions | None = None,
    val: tuple[StoreLike, str | Path] | None = None,
    device: str = 'cpu',
    unit_rows: int = UNIT_ROWS,
    index: str | None = None,
    verify: bool = True,
    max_bad_rows: float = MAX_BAD_ROWS,
    local_images: Sequence[str | Path] | None = None,
    dry_run: bool = False,
) -> RetrievalTask:
    """Encode the classes, and check all that a retrieval depends on.

    Args:
        store: Folder of an embedding store, or the store.
        out: Folder of what is retrieved; the classes' embeddings are kept in
            it, so that every later start has the same.
        class_names: K names, or their file; None if ``queries`` are given.
        exclude: Stores of images to keep out, such as the test images.
        queries: Text features of your own in place of names and weights of
            CLIP: a ``.npz`` of :func:`ltvl_mm.structures.class_queries.
            save_queries`. Temperature and background are then yours, too.
        budget: n_k of Eq. 4 of the TACKLE paper: see
            :func:`ltvl_mm.retrieval.budget.compute_budget`; or a ``.json``.
        class_counts: Images per class of the original training set, for
            ``'balance_to:N'``: its list, a ``.json``, or K numbers.
        templates: Templates of prompts; see
            :func:`ltvl_mm.clip.templates.find_templates`.
        background: Names that are part of the softmax over classes and get no
            images: ``'builtin'``, common English nouns; ``'none'``; a file,
            one name per line; a ``.npz`` of class queries; or ``'auto'``,
            the built-in names for fewer than 64 classes.
        arch: Architecture of the store's encoder; None for the one that the
            store names.
        pretrained: The weights of the store's encoder, tag or file; None as
            in :func:`ltvl_mm.embed`.
        preprocess: Override of :func:`ltvl_mm.embed` for the store.
        options: Options that the paper leaves open; None for the defaults.
        val: Store of val images and their ``path label`` list, to which
            ``temperature='auto'`` is fitted; None otherwise.
        device: Device of the first pass over all images.
        unit_rows: Maximum rows per work unit.
        index: File of a faiss index that proposes candidates; None for an
            exact search.
        verify: Compare the files of the stores with their checksums.
        max_bad_rows: Largest share of invalid rows, in [0, 1].
        local_images: Folder of images to copy from; copying is left to
            :func:`ltvl_mm.apis.local_images.place_local_images`.
        dry_run: Write nothing.

    Raises:
        ValueError: If a file is missing or not what it should be, encoders
            differ, ``exclude`` is empty, or ``out`` was begun with other
            classes or another encoder.
    """
    if exclude is not None and not len(exclude):
        raise ValueError(
            'exclude holds no store; give those of val and test images, or '
            'None if there is no test set to protect'
        )
    options = resolve_auto_budget(budget, options or RetrievalOptions(), val)
    if local_images is not None:
        options = leave_copying(options, local_images)
    given = None if queries is None else load_queries(queries)
    names = _find_names(class_names, given)
    is_one = isinstance(store, (str, PurePath, EmbeddingStore))
    stores = cast(Sequence[StoreLike], [store] if is_one else store)
    store = join_stores([_open(one) for one in stores])
    excluded = [_open(one) for one in exclude or ()]
    check_encoders([store, *excluded])
    wanted = find_budget(budget, len(names), class_counts)
    if options.temperature == 'auto' and val is None:
        raise ValueError(
            "temperature='auto' is fitted to val images; give their store and "
            'list (--val STORE LIST)'
        )
    found = None
    if get_rank() == 0:
        sentences = find_templates(templates)
        classes: ClassQueries | NamedClasses
        if given is None:
            clip = FrozenCLIP(
                arch or store.encoder['arch'],
                pretrained,
                preprocess=preprocess,
                device='cuda' if torch.cuda.is_available() else 'cpu',
            )
            classes, encoder = (
                NamedClasses(names, sentences, clip),
                clip.identity,
            )
        else:
            classes, encoder = given, given.encoder
        # Before the queries are written: the command with other weights then
        # finds the folder as it was.
        check_query_encoder(encoder, store)
        found = prepare_classes(
            as_path(out),
            classes,
            background=resolve_auto(
                background,
                len(names),
                options.score,
                has_names=given is None,
            ),
            options=options,
            val=val,
            store=store,
            dry_run=dry_run,
        )
    texts, others, temperature = broadcast_object(found)
    return RetrievalTask(
        store,
        texts,
        wanted,
        excluded,
        replace(options, temperature=temperature),
        device=device,
        unit_rows=unit_rows,
        index=index,
        verify=verify,
        max_bad_rows=max_bad_rows,
        background=others,
    )


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
