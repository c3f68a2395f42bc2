"""The manifest: which web image was retrieved for which class, and why."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ltvl_mm.structures.dilution import describe_low_yield
from ltvl_mm.structures.softmax_temperature import SOURCES
from ltvl_mm.structures.store_keys import find_repeated, hash_keys
from ltvl_mm.structures.text_column import TextColumn
from ltvl_mm.utils.log_odds import compute_probability

# Columns of the file, and their types.
MANIFEST_SCHEMA = pa.schema(
    [
        ('class_id', pa.int32()),
        ('rank', pa.int32()),
        ('score', pa.float64()),
        ('cosine', pa.float64()),
        ('key', pa.string()),
        ('file', pa.string()),
        ('caption', pa.string()),
    ]
)
_ALL = slice(None)
# Odd, so that classes times it differ modulo 2^64.
_CLASS_WEIGHT = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Manifest:
    """Retrieved images, sorted by class, then rank.

    Args:
        class_names: K names that the images were retrieved for.
        class_id: (M,) int, in [0, K).
        rank: (M,) int, 0, 1, 2, ... in each class.
        score: (M,) float, the larger the better; finite.
        cosine: (M,) float, of image and class prompt.
        key: M keys of the images in their store. Strings are kept as
            :class:`TextColumn`, which forked workers share.
        file: M paths, relative to the manifest's folder.
        caption: M captions, '' where the web gave none.
        source: Origin of the manifest: store fingerprint, encoder,
            temperature and its source, score, assignment, budget, templates,
            copies. JSON-like.
        name: Name of the manifest in messages; :func:`.load_manifest` adds
            the file. Default ``'the manifest'``.
    """

    class_names: tuple[str, ...]
    class_id: np.ndarray
    rank: np.ndarray
    score: np.ndarray
    cosine: np.ndarray
    key: Sequence[str]
    file: Sequence[str]
    caption: Sequence[str]
    source: dict
    name: str = 'the manifest'

    def __post_init__(self) -> None:
        """Check the contract.

        Raises:
            ValueError: If there are no classes, rows are of unequal number, or
                one has a class outside [0, K), a rank out of turn, a score
                that is not finite, a key twice in a class, or a file that is
                not a relative path inside the manifest's folder.
        """
        if not self.class_names:
            raise ValueError('the manifest names no classes; retrieve again')
        for name in ('key', 'file', 'caption'):
            column = TextColumn(getattr(self, name))
            object.__setattr__(self, name, column)
        lengths = {n: len(getattr(self, n)) for n in MANIFEST_SCHEMA.names}
        if len(set(lengths.values())) != 1:
            raise ValueError(f'manifest columns differ in length: {lengths}')
        count = len(self.class_names)
        outside = (self.class_id < 0) | (self.class_id >= count)
        if outside.any():
            row = int(np.flatnonzero(outside)[0])
            raise ValueError(
                f'manifest row {row}: class {self.class_id[row]} lies '
                f'outside [0, {count})'
            )
        if not (np.diff(self.class_id) >= 0).all():
            raise ValueError('manifest rows are not sorted by class')
        counts = np.bincount(self.class_id, minlength=count)
        dense = np.concatenate([np.arange(n) for n in counts])
        if not np.array_equal(self.rank, dense):
            row = int(np.flatnonzero(self.rank != dense)[0])
            raise ValueError(
                f'manifest row {row}: rank {self.rank[row]} where '
                f'{dense[row]} is due; ranks count 0, 1, 2, ... in a class'
            )
        if not np.isfinite(self.score).all():
            row = int(np.flatnonzero(~np.isfinite(self.score))[0])
            raise ValueError(
                f'manifest row {row}: score {self.score[row]} is not finite'
            )
        self._check_keys()
        self._check_files()

    def _check_keys(self) -> None:
        """Raise ValueError if a class has a key twice."""
        keys = pa.chunked_array([cast(TextColumn, self.key).array])
        pairs = hash_keys(keys)
        pairs += self.class_id.astype(np.uint64) * _CLASS_WEIGHT
        # Different pairs with one hash are rare; equal ones are an error.
        seen = set()
        for row in find_repeated(pairs).tolist():
            pair = int(self.class_id[row]), self.key[row]
            if pair in seen:
                raise ValueError(
                    f'manifest row {row}: key {pair[1]!r} stands twice in '
                    f'class {pair[0]}'
                )
            seen.add(pair)

    def _check_files(self) -> None:
        """Raise ValueError if a file leaves the manifest's folder."""
        # Paths are compared in Python only where Arrow finds a suspect.
        suspect = pc.match_substring_regex(
            cast(TextColumn, self.file).array, r'^/|\.\.|[:\\\x00]'
        )
        for row in np.flatnonzero(suspect.to_numpy(zero_copy_only=False)):
            path = Path(self.file[row])
            if '\0' in self.file[row]:
                raise ValueError(
                    f'manifest row {row}: {self.file[row]!r} is not a path'
                )
            address = '://' in self.file[row]
            if address or path.is_absolute() or '..' in path.parts:
                raise ValueError(
                    f'manifest row {row}: {self.file[row]!r} leaves the folder'
                )

    def __len__(self) -> int:
        return len(self.class_id)

    def __deepcopy__(self, memo: dict) -> 'Manifest':
        return self  # immutable; a copy would double its memory

    @property
    def has_probabilities(self) -> bool:
        """True if the scores are log-odds of probabilities p_k."""
        return self.source.get('score') == 'softmax'

    @property
    def temperature(self) -> float:
        """Temperature of the retrieval's softmax over classes, > 0.

        Raises:
            ValueError: If the source records no finite number > 0.
        """
        found = self.source.get('temperature')
        if not isinstance(found, (int, float)) or not 0 < found < math.inf:
            raise ValueError(
                f'{self.name} must record the temperature of its retrieval, '
                f"a number > 0, but source['temperature'] is {found!r}; "
                f'retrieve again with tools/retrieve.py'
            )
        return float(found)

    def compute_probabilities(
        self, rows: np.ndarray | slice | int = _ALL
    ) -> np.ndarray:
        """Return p_k, in [0, 1], of the images of some rows, or of all.

        The array is computed once, and read-only.

        Raises:
            ValueError: If their score is not the log-odds of a probability.
        """
        if not self.has_probabilities:
            raise ValueError(
                f'{self.name} has scores of {self.source.get("score")!r} '
                f'instead of softmax, which are not log-odds of p_k; retrieve '
                f'with --score softmax, or train with --recipe plain'
            )
        return self.probabilities[rows]

    def count_probable(self, min_probability: float) -> int:
        """Return the number of images that have a minimum probability.

        Args:
            min_probability: Minimum p_k, in [0, 1].

        Raises:
            ValueError: If their score is not the log-odds of a probability.
        """
        return int((self.compute_probabilities() >= min_probability).sum())

    def is_diluted(self, kept: int) -> bool:
        """Return whether background names made nearly all p_k small.

        Of 8 and 19 classes of the emoji world, 2 and 3 % of the images have
        p_k >= 0.5 at CLIP's own temperature, and 31 and 35 % at one that is
        fitted to val. With a fitted temperature, small p_k mean that few
        images show their class.

        Args:
            kept: Number of images that a minimum probability leaves; less
                than a tenth tells.
        """
        return self.needs_fit and 10 * kept < len(self)

    @property
    def needs_fit(self) -> bool:
        """True with background names and a temperature not fitted to val."""
        return (
            bool(self.source.get('background'))
            and self.temperature_source != 'val'
        )

    def explain_low_yield(self) -> str | None:
        """Return why a minimum probability left few images, as a clause.

        None if it left at least half of the images that were asked for, or
        if probabilities are not small because of background names. Manifests
        without a recorded source of the temperature have no explanation.
        """
        limit = self.source.get('min_probability')
        wanted = sum(self.source.get('budget') or ())
        # A store cannot have more images of probability 0.5 than rows.
        wanted = min(wanted, self.source.get('rows_in_store', wanted))
        if (
            not limit
            or not self.needs_fit
            or self.temperature_source is None
            or 2 * len(self) >= wanted
        ):
            return None
        return describe_low_yield(len(self), wanted, limit, self.temperature)

    @property
    def temperature_source(self) -> str | None:
        """Source of :class:`.SoftmaxTemperature`; None if not recorded."""
        recorded = self.source.get('temperature_source')
        found = recorded.get('source') if isinstance(recorded, dict) else None
        return found if found in SOURCES else None

    @cached_property
    def probabilities(self) -> np.ndarray:
        """(M,) read-only p_k, if ``has_probabilities``."""
        # Of all rows: to compute one for each sample of a training takes 2 us.
        found = compute_probability(self.score)
        found.setflags(write=False)
        return found

    def count_classes(self) -> np.ndarray:
        """Return the (K,) numbers of retrieved images."""
        return np.bincount(self.class_id, minlength=len(self.class_names))

    def check_class_names(self, names: tuple[str, ...], owner: str) -> None:
        """Raise ValueError unless ``names`` are the manifest's, in order."""
        if tuple(names) == self.class_names:
            return
        if len(names) != len(self.class_names):
            raise ValueError(
                f'{self.name} was made for {len(self.class_names)} classes, '
                f'but {owner} has {len(names)}; retrieve again for these '
                f'classes, or give the manifest of them'
            )
        place = next(
            i
            for i, pair in enumerate(zip(names, self.class_names, strict=True))
            if pair[0] != pair[1]
        )
        raise ValueError(
            f'{self.name} was made with another class list: class {place} '
            f'is {self.class_names[place]!r} there and {names[place]!r} in '
            f'{owner}; retrieve again, or pass class_names= if the order is '
            f'the same and only the spelling differs'
        )
