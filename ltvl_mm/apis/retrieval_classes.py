"""Texts of a retrieval: classes, background classes and temperature."""

from dataclasses import dataclass
from pathlib import Path

from ltvl_mm.apis.retrieval_background import choose_background
from ltvl_mm.apis.retrieval_saturation import warn_of_saturation
from ltvl_mm.apis.retrieval_temperature import choose_temperature
from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.clip.tokenization import Templates
from ltvl_mm.retrieval.options import RetrievalOptions
from ltvl_mm.structures.background import Background
from ltvl_mm.structures.class_queries import (
    ClassQueries,
    load_queries,
    save_queries,
)
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.encoder_identity import find_difference
from ltvl_mm.structures.softmax_temperature import SoftmaxTemperature


@dataclass(frozen=True)
class NamedClasses:
    """Classes that are given by name, and what encodes the names.

    Args:
        names: K names.
        templates: Sentences of the prompts.
        clip: Encoder of the prompts.
    """

    names: tuple[str, ...]
    templates: Templates
    clip: FrozenCLIP

    def encode(self) -> ClassQueries:
        """Return the embeddings of the classes."""
        return ClassQueries(
            self.names,
            tuple(self.templates),
            self.clip.encode_class_names(self.names, self.templates).numpy(),
            self.clip.identity,
        )

    def match(self, kept: ClassQueries) -> bool:
        """Return whether queries have the same names and encoder."""
        named = (self.names, tuple(self.templates))
        return (
            named == (kept.class_names, kept.templates)
            and find_difference(kept.encoder, self.clip.identity) is None
        )


def prepare_classes(
    folder: Path,
    classes: ClassQueries | NamedClasses,
    *,
    background: str,
    options: RetrievalOptions,
    val: tuple[str | Path | EmbeddingStore, str | Path] | None,
    store: EmbeddingStore,
    dry_run: bool,
) -> tuple[ClassQueries, Background | None, SoftmaxTemperature]:
    """Return classes, background classes and temperature of a retrieval.

    Args:
        folder: Folder of what is retrieved, which keeps the embeddings.
        classes: K names and their encoder; or text features of the user.
        background: Choice of background classes, see
            :func:`ltvl_mm.apis.retrieval_background.choose_background`.
        options: Options of the retrieval.
        val: Store and list of val images, for the temperature.
        store: Web images.
        dry_run: Write nothing.

    Raises:
        ValueError: If the folder was begun with other classes, background
            classes or another encoder, or text features come without a
            temperature.
    """
    clip = classes.clip if isinstance(classes, NamedClasses) else None
    queries = _find_queries(folder / 'queries.npz', classes, dry_run=dry_run)
    others = choose_background(
        background, folder, queries, clip, dry_run=dry_run
    )
    temperature = choose_temperature(options, queries, clip, val, others)
    if others is None and options.score == 'softmax':
        warn_of_saturation(store, queries, temperature.value)
    return queries, others, temperature


def _find_queries(
    file: Path, classes: ClassQueries | NamedClasses, *, dry_run: bool
) -> ClassQueries:
    """Return the class queries that an earlier run kept, or make them.

    Another machine, or another number of threads, rounds them differently.
    """
    if file.exists():
        kept = load_queries(file)
        if isinstance(classes, NamedClasses):
            same = classes.match(kept)
        else:
            same = kept.fingerprint == classes.fingerprint
        if same:
            return kept
        raise ValueError(
            f'{file.parent} was begun with another class list, encoder or '
            f'other templates; choose another folder or delete it'
        )
    queries = (
        classes.encode() if isinstance(classes, NamedClasses) else classes
    )
    if not dry_run:
        save_queries(file, queries)
    return queries
