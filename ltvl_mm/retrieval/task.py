"""Inputs and options of a retrieval."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from numbers import Real
from typing import cast

import numpy as np

from ltvl_mm.retrieval.metadata_filter import MetadataFilter
from ltvl_mm.retrieval.options import (
    MAX_BAD_ROWS,
    UNIT_ROWS,
    RetrievalOptions,
)
from ltvl_mm.retrieval.search.search_spec import SearchOptions
from ltvl_mm.retrieval.search.selection import Selection
from ltvl_mm.structures.background import Background
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.store_join import join_stores
from ltvl_mm.utils.io import hash_file

# Options whose names in manifests stay those of earlier versions, so that the
# same retrieval writes the same bytes.
_STORED_NAMES = {
    'oversample_factor': 'over',
    'max_rounds': 'refill',
    'metadata_filter': 'admission',
}


@dataclass(frozen=True)
class RetrievalTask:
    """All that a retrieval depends on, and how it is computed.

    Args:
        store: Store of the web images.
        queries: The K classes.
        budget: (K,) images wanted.
        excluded: Stores of images, such as val and test, of which no copy
            may be retrieved.
        options: Options of the retrieval.
        device: Device of the first pass over all images.
        unit_rows: Rows of the store that are done or not.
        index: A faiss index of the store, which proposes candidates; then
            the best images are found among them only. None reads the store.
        verify: True to compare the stores' files with their recorded checksums
            before the search.
        max_bad_rows: Share of a store's rows, in [0, 1], that are skipped
            because they are not finite or not of unit norm; more are an
            error. Default 0.001.
        background: Classes that are part of the softmax and get no images;
            None for none.
        temperature_source: Source of the options' temperature, JSON-like,
            for the manifest and the report; None if unknown.
    """

    store: EmbeddingStore
    queries: ClassQueries
    budget: np.ndarray
    excluded: Sequence[EmbeddingStore]
    options: RetrievalOptions
    device: str = 'cpu'
    unit_rows: int = UNIT_ROWS
    index: str | None = None
    verify: bool = True
    max_bad_rows: float = MAX_BAD_ROWS
    background: Background | None = None
    temperature_source: dict | None = None

    def __post_init__(self) -> None:
        """Check what can be checked before the work.

        Raises:
            ValueError: If encoders differ, or the store lacks a column that
                filters or copying need.
        """
        if not 0 <= self.max_bad_rows <= 1:
            raise ValueError(
                f'max_bad_rows must be in [0, 1], got {self.max_bad_rows}'
            )
        if self.options.min_precision is None:
            # It is frozen; settings.json holds the number.
            options = replace(self.options, min_precision=0.0)
            object.__setattr__(self, 'options', options)
        if self.unit_rows < 1:
            raise ValueError(f'unit_rows must be >= 1, got {self.unit_rows}')
        if not isinstance(self.options.temperature, Real):
            raise ValueError(
                f'a retrieval task needs a number as temperature, got '
                f'{self.options.temperature!r}; prepare_retrieval takes it '
                f'from the encoder or fits it'
            )
        for other in (self.store, *self.excluded):
            self.queries.check_store(other)
            if self.background is not None:
                self.background.queries.check_store(other)
        if self.options.copy != 'none':
            self.store.check_columns(
                ('source', 'offset', 'size', 'sha256'),
                'copying images',
                remedy='If its keys name files that you have, add '
                '--local-images FOLDER with the folder of these files. '
                'Otherwise retrieve with --copy none, download '
                'OUT/download.parquet with img2dataset, and run: python '
                'tools/place_downloads.py OUT DOWNLOADS',
            )
        _ = self.metadata_filter  # looks at the columns

    @cached_property
    def metadata_filter(self) -> MetadataFilter | None:
        """Metadata filter of the rows; None for all rows."""
        rule = self.options.metadata_filter
        return MetadataFilter(self.store, rule) if rule.columns else None

    @property
    def num_background(self) -> int:
        """Number of background names in the softmax."""
        if self.background is None:
            return 0
        return len(self.background.queries.class_names)

    @property
    def lowest_score(self) -> float:
        """Log-odds of the minimum probability; -inf without one."""
        limit = self.options.min_probability
        return math.log(limit / (1 - limit)) if limit else -math.inf

    @property
    def candidates(self) -> np.ndarray:
        """(K,) numbers of candidates per class in the first pass."""
        wanted = self.budget * self.options.oversample_factor
        return np.ceil(wanted).astype(np.int64)

    def describe(self) -> dict:
        """Return all that the result depends on, JSON-like."""
        found = {
            'class_names': self.queries.class_names,
            'store': self.store.fingerprint,
            'encoder': self.store.encoder,
            'templates': self.queries.templates,
            'queries': self.queries.fingerprint,
            'budget': self.budget.tolist(),
            **{
                _STORED_NAMES.get(name, name): value
                for name, value in asdict(self.options).items()
            },
            'index': self.index and hash_file(self.index),
            'excluded': self._describe_excluded(),
        }
        if self.background is not None:
            found['background'] = self.background.describe()
        return found

    def _describe_excluded(self) -> list[str]:
        """Return fingerprints: one of all stores if their shards differ."""
        shards = [
            part.shard for other in self.excluded for part in other.parts
        ]
        if self.excluded and len(set(shards)) == len(shards):
            return [join_stores(self.excluded).fingerprint]
        return sorted(other.fingerprint for other in self.excluded)

    def make_selection(self, candidates: np.ndarray) -> Selection:
        """Return the search for (K,) numbers of candidates."""
        return Selection(
            self.store,
            self.queries,
            candidates,
            SearchOptions(
                temperature=cast(float, self.options.temperature),
                score=self.options.score,
                assign=self.options.assign,
                device=self.device,
                keep_rows=self.metadata_filter,
                max_bad_rows=self.max_bad_rows,
                background=self.background,
            ),
        )
