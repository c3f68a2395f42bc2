"""Settings of a retrieval: classes, budget, encoder and search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ltvl_mm.clip.tokenization import Templates
from ltvl_mm.retrieval.background_names import AUTO
from ltvl_mm.retrieval.options import MAX_BAD_ROWS, UNIT_ROWS, RetrievalOptions
from ltvl_mm.structures.embedding_store import EmbeddingStore

StoreLike = str | Path | EmbeddingStore


@dataclass(frozen=True, kw_only=True)
class RetrievalSettings:
    """Settings of a retrieval, as ``tools/retrieve.py`` takes them.

    Args:
        exclude: Stores of val and test images, of which no copy is
            retrieved; None if there is no test set to protect.
        class_names: K names, or a file with one per line; None (default) if
            ``queries`` are given.
        queries: Text features of your own in place of names and weights of
            CLIP: a ``.npz`` of :func:`ltvl_mm.structures.class_queries.
            save_queries`. Temperature and background are then yours, too.
        budget: n_k of Eq. 4 of the TACKLE paper, default 300: see
            :func:`ltvl_mm.retrieval.budget.compute_budget`; or a ``.json``.
        class_counts: Images per class of the original training set, for
            ``'balance_to:N'``: its list, a ``.json``, or K numbers.
        templates: Templates of prompts, default ``'openai_80'``; see
            :func:`ltvl_mm.clip.templates.find_templates`.
        background: Names that are part of the softmax over classes and get no
            images: ``'builtin'``, common English nouns; ``'none'``; a file,
            one name per line; a ``.npz`` of class queries; or ``'auto'``
            (default), the built-in names for fewer than 64 classes.
        arch: Architecture of the store's encoder; None (default) for the one
            that the store names.
        pretrained: Weights of the store's encoder, tag or file; None
            (default) as in :func:`ltvl_mm.embed`.
        preprocess: Override of :func:`ltvl_mm.embed` for the store.
        options: Options that the paper leaves open.
        val: Store of val images and their ``path label`` list, to which the
            temperature is fitted; None (default) without them.
        device: Device of the first pass over all images.
        unit_rows: Maximum rows per work unit.
        index: File of a faiss index that proposes candidates; None (default)
            for an exact search.
        verify: True (default) to compare the files of the stores with their
            checksums.
        max_bad_rows: Largest share of invalid rows, in [0, 1].
        local_images: Folders with the image files that the keys of a store of
            another program name. The retrieved ones are copied from there;
            see :mod:`ltvl_mm.apis.local_images`. None (default) copies from
            the files that ``embed`` has read.

    Raises:
        ValueError: If ``exclude`` is empty.
    """

    exclude: Sequence[StoreLike] | None
    class_names: str | Path | Sequence[str] | None = None
    queries: str | Path | None = None
    budget: int | str | Path | Sequence[int] = 300
    class_counts: str | Path | Sequence[int] | None = None
    templates: str | Templates = 'openai_80'
    background: str | Path = AUTO
    arch: str | None = None
    pretrained: str | None = None
    preprocess: str | Mapping[str, object] | None = None
    options: RetrievalOptions = field(default_factory=RetrievalOptions)
    val: tuple[StoreLike, str | Path] | None = None
    device: str = 'cpu'
    unit_rows: int = UNIT_ROWS
    index: str | None = None
    verify: bool = True
    max_bad_rows: float = MAX_BAD_ROWS
    local_images: Sequence[str | Path] | None = None

    def __post_init__(self) -> None:
        """Raise ValueError if ``exclude`` is empty."""
        if self.exclude is not None and not len(self.exclude):
            raise ValueError(
                'exclude holds no store; give those of val and test images, '
                'or None if there is no test set to protect'
            )
