"""From a store and class queries to a folder that students train on."""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from ltvl_mm.retrieval.copies import (
    CopyRule,
    ImageTraits,
    find_copies,
    keep_originals,
    read_traits,
)
from ltvl_mm.retrieval.select import Candidates, select_images
from ltvl_mm.retrieval.web_image import IMAGE_SUFFIXES, read_bytes
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.manifest import Manifest, load_manifest, save_manifest
from ltvl_mm.utils.io import claim_folder, read_json, write_json
from ltvl_mm.utils.progress import progress_bar


@dataclass(frozen=True)
class RetrievalOptions:
    """What the paper leaves open; the defaults are ours.

    Args:
        temperature: Of the softmax over classes; 0.01 is CLIP's own.
        score: ``'softmax'``, ``'cosine'`` or ``'margin'``.
        assign: ``'independent'`` or ``'argmax'``.
        over: Candidates per wanted image, so that dropped copies can be
            replaced; >= 1.
        duplicates: Rule for copies of each other within a class.
        exclude: Rule for copies of images to keep out, e.g. of the test set.
    """

    temperature: float = 0.01
    score: str = 'softmax'
    assign: str = 'independent'
    over: float = 2.0
    duplicates: CopyRule = CopyRule()  # noqa: RUF009, it is frozen
    exclude: CopyRule = CopyRule()  # noqa: RUF009

    def __post_init__(self) -> None:
        """Raise ValueError if ``over`` is less than 1."""
        if not self.over >= 1:
            raise ValueError(f'over must be >= 1, got {self.over}')


@dataclass(frozen=True)
class Rejected:
    """A candidate that was passed over.

    Args:
        key: The image.
        class_id: For which class it was a candidate.
        reason: ``'duplicate'`` of an image of the class, or ``'excluded'``.
        copy_of: Key of the image it copies.
        cosine: Between the two.
    """

    key: str
    class_id: int
    reason: str
    copy_of: str
    cosine: float


def retrieve(
    store: EmbeddingStore,
    queries: ClassQueries,
    budget: np.ndarray,
    out: str | Path,
    *,
    excluded: list[EmbeddingStore],
    options: RetrievalOptions,
) -> tuple[Manifest, list[Rejected]]:
    """Write ``images/``, ``manifest.parquet`` and ``report.json`` to ``out``.

    The images are copied out of the web memory, so that the folder is all
    that training needs: ``images/<class>/<rank>.<suffix>``. The manifest is
    written last; where an earlier run has finished, it is read instead.

    Args:
        store: The web memory.
        queries: The classes.
        budget: (K,) images wanted.
        out: Folder.
        excluded: Stores of images, such as val and test, of which no copy
            may be retrieved.
        options: See there.

    Raises:
        ValueError: If encoders differ, the web memory has changed, or
            ``out`` was begun with other classes, stores or options.
    """
    for other in (store, *excluded):
        queries.check_store(other)
    out = Path(out)
    source = _describe(store, queries, budget, excluded, options)
    claim_folder(out, {'class_names': queries.class_names, **source})
    if (out / 'manifest.parquet').exists():  # written last
        report = read_json(out / 'report.json')
        return load_manifest(out / 'manifest.parquet'), [
            Rejected(**entry) for entry in report['rejected']
        ]
    wanted = np.ceil(budget * options.over).astype(int)
    candidates = select_images(
        store,
        queries,
        wanted,
        temperature=options.temperature,
        score=options.score,
        assign=options.assign,
    )
    rows = np.unique(np.concatenate([c.rows for c in candidates]))
    traits = read_traits(store, rows)
    leaks = _find_leaks(traits, excluded, options.exclude)
    chosen, rejected = [], []
    with progress_bar(
        total=len(candidates), title='drop copies', unit='class'
    ) as bar:
        for label, found in enumerate(candidates):
            places = np.searchsorted(rows, found.rows)
            kept, lost = _drop_copies(
                label, places, traits, leaks, options.duplicates
            )
            chosen.append(
                Candidates(
                    *(
                        column[kept][: budget[label]]
                        for column in (found.rows, found.scores, found.cosines)
                    )
                )
            )
            rejected += lost
            bar.update()
    manifest = _build_manifest(store, queries, chosen, source)
    _copy_images(store, chosen, manifest, out)
    write_json(out / 'report.json', _summarise(manifest, budget, rejected))
    save_manifest(out / 'manifest.parquet', manifest)
    return manifest, rejected


def _find_leaks(
    traits: ImageTraits, excluded: list[EmbeddingStore], rule: CopyRule
) -> list[tuple[str, float] | None]:
    leaks: list[tuple[str, float] | None] = [None] * len(traits.keys)
    for other in excluded:
        found = find_copies(
            traits, read_traits(other, np.arange(len(other))), rule
        )
        leaks = [old or new for old, new in zip(leaks, found, strict=True)]
    return leaks


def _drop_copies(
    label: int,
    places: np.ndarray,
    traits: ImageTraits,
    leaks: list[tuple[str, float] | None],
    rule: CopyRule,
) -> tuple[np.ndarray, list[Rejected]]:
    """Return which candidates stay (positions, best first) and which go."""
    clean = [i for i, place in enumerate(places) if leaks[place] is None]
    lost = [
        Rejected(traits.keys[place], label, 'excluded', *leaks[place])
        for place in places
        if leaks[place] is not None
    ]
    inside = places[clean]
    twins = keep_originals(
        ImageTraits(
            [traits.keys[place] for place in inside],
            traits.embeddings[inside],
            traits.phash[inside],
            [traits.sha256[place] for place in inside],
        ),
        rule,
    )
    lost += [
        Rejected(traits.keys[place], label, 'duplicate', *twin)
        for place, twin in zip(inside, twins, strict=True)
        if twin
    ]
    kept = [i for i, twin in zip(clean, twins, strict=True) if twin is None]
    return np.array(kept, int), lost


def _build_manifest(
    store: EmbeddingStore,
    queries: ClassQueries,
    chosen: list[Candidates],
    source: dict,
) -> Manifest:
    counts = [len(found.rows) for found in chosen]
    rank = np.concatenate([np.arange(n) for n in counts])
    label = np.repeat(np.arange(len(chosen)), counts)
    metadata = store.read_metadata(
        np.concatenate([found.rows for found in chosen])
    )
    return Manifest(
        class_names=queries.class_names,
        class_id=label.astype(np.int32),
        rank=rank.astype(np.int32),
        score=np.concatenate([found.scores for found in chosen]),
        cosine=np.concatenate([found.cosines for found in chosen]),
        key=tuple(metadata['image_path']),
        file=tuple(
            f'images/{k:05d}/{r:05d}{_find_suffix(file)}'
            for k, r, file in zip(label, rank, metadata['source'], strict=True)
        ),
        caption=tuple(metadata['caption']),
        source=source,
    )


def _find_suffix(source: str) -> str:
    """Keep a file's suffix if it is an image's; decoders go by content."""
    suffix = PurePosixPath(source).suffix.lower()
    return suffix if suffix.lstrip('.') in IMAGE_SUFFIXES else '.jpg'


def _copy_images(
    store: EmbeddingStore,
    chosen: list[Candidates],
    manifest: Manifest,
    out: Path,
) -> None:
    """Copy the original bytes, in the order they lie on the disk."""
    rows = np.concatenate([found.rows for found in chosen])
    metadata = store.read_metadata(rows)
    with progress_bar(total=len(rows), title='copy images', unit='img') as bar:
        for place in np.argsort(rows, kind='stable'):
            data = read_bytes(
                *(
                    metadata[name][place]
                    for name in ('source', 'offset', 'size', 'sha256')
                )
            )
            file = out / manifest.file[place]
            file.parent.mkdir(parents=True, exist_ok=True)
            # Not atomic: the manifest, written last, makes them valid.
            file.write_bytes(data)
            bar.update()


def _describe(
    store: EmbeddingStore,
    queries: ClassQueries,
    budget: np.ndarray,
    excluded: list[EmbeddingStore],
    options: RetrievalOptions,
) -> dict:
    """Return all that a manifest depends on, beside the class names."""
    return {
        'store': store.fingerprint,
        'encoder': store.encoder,
        'templates': list(queries.templates),
        'budget': budget.tolist(),
        **asdict(options),
        'excluded': sorted(other.fingerprint for other in excluded),
    }


def _summarise(
    manifest: Manifest, budget: np.ndarray, rejected: list[Rejected]
) -> dict:
    """Count, by class, what was found and what was passed over and why."""
    found = manifest.count_classes()
    reasons = {
        reason: Counter(r.class_id for r in rejected if r.reason == reason)
        for reason in ('duplicate', 'excluded')
    }
    return {
        'retrieved': int(found.sum()),
        'missing': int((budget - found).sum()),
        'duplicates': sum(reasons['duplicate'].values()),
        'copies_of_excluded_images': sum(reasons['excluded'].values()),
        'classes': [
            {
                'class_id': label,
                'name': name,
                'wanted': int(budget[label]),
                'retrieved': int(found[label]),
                'duplicates': reasons['duplicate'][label],
                'copies_of_excluded_images': reasons['excluded'][label],
            }
            for label, name in enumerate(manifest.class_names)
        ],
        'rejected': [asdict(r) for r in rejected],
    }
