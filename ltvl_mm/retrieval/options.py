"""Options of a retrieval and their defaults; imports quickly."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import TypeGuard

SCORES = ('softmax', 'cosine', 'margin')
COPIES = ('folder', 'tar', 'none')
ASSIGNMENTS = ('independent', 'argmax')
# Remedy where an image is retrieved for several classes.
ASSIGN_ONCE = '--assign argmax retrieves an image for its best class only'
PRODUCTS = ('auto', 'float32', 'bfloat16')
# Rows of a store that are searched at a time, and that a kill may cost.
UNIT_ROWS = 1_000_000
# Share of a store's rows that may be skipped before it is an error.
MAX_BAD_ROWS = 1e-3
# Below, a softmax over cosines has one class of p = 1 (and logits overflow at
# 1e-38); above, log-odds of 9 decimals round cosines to less than 6.
MIN_TEMPERATURE, MAX_TEMPERATURE = 1e-6, 1e3
# Mean probability down to which --budget auto takes images.
MIN_PRECISION = 0.8
# Perceptual hashes of unrelated images differ in 32 of 64 bits, with a
# standard deviation of 4; those of a resized and re-encoded image in few.
MAX_BITS = 10
# Cosine of a stored and a recomputed embedding. Half precision and another
# version of a JPEG decoder cost less; another image or encoder costs more.
MIN_COSINE = 0.99


def check_temperature(temperature: object) -> None:
    """Raise ValueError unless a softmax over cosines can be computed with it.

    Args:
        temperature: Temperature, in [1e-6, 1000].
    """
    if not (
        _is_number(temperature)
        and MIN_TEMPERATURE <= temperature <= MAX_TEMPERATURE
    ):
        raise ValueError(
            f'temperature must be a finite number in [{MIN_TEMPERATURE:g}, '
            f"{MAX_TEMPERATURE:g}], 'auto' (fitted to val images) or None "
            f"(the encoder's own), got {temperature!r}; CLIP's own are about "
            f'0.01'
        )


def _is_number(value: object, kind: type = Real) -> TypeGuard[float]:
    return isinstance(value, kind) and not isinstance(value, bool)


@dataclass(frozen=True)
class MetadataRule:
    """Metadata filter of the images to rank.

    Images without a value in a filtered column are filtered out.

    Args:
        min_size: Minimum of ``width`` and ``height`` in pixels, >= 0; default
            0 for any.
        max_aspect: Maximum ratio of longer to shorter side, >= 1; 0 (default)
            for any.
        least: Column -> minimum value, e.g. ``{'similarity': 0.3}``.
        most: Column -> maximum value, e.g. ``{'punsafe': 0.5}``.
        values: Column -> allowed values, e.g.
            ``{'LANGUAGE': ['en']}``.
        allowed_hosts: Hosts of URLs, their subdomains included; none for all.
        denied_hosts: Hosts of URLs to filter out, their subdomains included.
    """

    min_size: int = 0
    max_aspect: float = 0
    least: Mapping[str, float] = field(default_factory=dict)
    most: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    allowed_hosts: tuple[str, ...] = ()
    denied_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError if a number is out of its range."""
        if not 0 <= self.min_size < math.inf:
            raise ValueError(
                f'min_size must be a finite number >= 0, got {self.min_size}'
            )
        if self.max_aspect and not 1 <= self.max_aspect < math.inf:
            raise ValueError(
                f'max_aspect must be a finite number >= 1, or 0 for any, got '
                f'{self.max_aspect}'
            )
        for name, limit in (*self.least.items(), *self.most.items()):
            # NaN would filter out every image, infinity every one or none.
            if not math.isfinite(limit):
                raise ValueError(
                    f'the limit of {name} must be a finite number, got {limit}'
                )

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that the filter reads."""
        names = [*self.least, *self.most, *self.values]
        if self.min_size or self.max_aspect:
            names += ['width', 'height']
        if self.allowed_hosts or self.denied_hosts:
            names.append('url')
        return tuple(dict.fromkeys(names))


@dataclass(frozen=True)
class CopyRule:
    """Criterion for near-duplicates.

    Two images with the same bytes or URL always are near-duplicates. Others
    must have both a high cosine and similar perceptual hashes: the cosine
    alone confuses two photos of one scene, the hash alone two plain images.
    Stores of other programs may lack hashes; then only the cosine is used,
    with a higher threshold.

    Args:
        cosine: Minimum cosine of the embeddings, in (0, 1]; default 0.96.
        phash_bits: Maximum number of different bits of the 64-bit perceptual
            hashes, in [0, 64]; default 6; 64 uses the cosine only.
        cosine_alone: Minimum cosine where a hash is missing, in (0, 1];
            default 0.97.
    """

    cosine: float = 0.96
    phash_bits: int = 6
    cosine_alone: float = 0.97

    def __post_init__(self) -> None:
        """Raise ValueError if a number is out of its range."""
        for name in ('cosine', 'cosine_alone'):
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise ValueError(f'{name} must lie in (0, 1], got {value}')
        if not 0 <= self.phash_bits <= 64:
            raise ValueError(
                f'phash_bits must lie in [0, 64], got {self.phash_bits}'
            )

    @property
    def least_cosine(self) -> float:
        """Cosine below which no pair is a perceptual near-duplicate."""
        if self.phash_bits == 64:
            return self.cosine
        return min(self.cosine, self.cosine_alone)


@dataclass(frozen=True)
class RetrievalOptions:
    """Options of a retrieval that the paper does not specify.

    Args:
        temperature: Temperature of the softmax over classes, in [1e-6, 1000].
            None (default): 1 / logit scale of the encoder, or as
            ``'auto'`` with at least 50 val images and background names, or
            with val images and no encoder; ``'auto'``: fitted to val images.
            Both are resolved by
            :func:`ltvl_mm.apis.image_retrieval.prepare_retrieval`; a task
            needs the number.
        min_probability: Minimum softmax probability of a retrieved image, in
            [0, 1); default 0. Needs ``score='softmax'``.
        min_precision: Minimum mean probability of the images of a class, in
            [0, 1); None (default) for 0, or 0.8 with budget ``'auto'``. A
            class takes its best images as long as their
            mean is at least this. Needs ``score='softmax'``, and a
            temperature fitted to val, so that the mean is a precision.
        score: Score that ranks the images of a class. ``'softmax'`` (default):
            probability of the class among all classes; ``'cosine'``: cosine
            with the class; ``'margin'``: logit of the class minus the largest
            logit of the other classes.
        assign: ``'independent'`` (default): an image may be retrieved for
            several classes; ``'argmax'``: only for its most probable class.
        oversample_factor: Number of candidates per wanted image, >= 1, to
            replace filtered near-duplicates; default 2.
        max_rounds: Maximum number of further passes over the store, >= 0;
            default 4. Each pass doubles the candidates of the classes that
            have too few images after near-duplicates were filtered out.
        duplicates: Criterion for near-duplicates within a class.
        exclude: Criterion for near-duplicates of excluded images, e.g. of the
            test set.
        metadata_filter: Metadata filter of the images to rank; default none.
        index_factor: Number of images that a faiss index proposes per
            candidate, >= 1; default 10. Unused without an index.
        index_parameters: Search parameters of the index; see
            :func:`ltvl_mm.retrieval.search.index_search.select_by_index`.
            None (default) chooses them by the kind of index.
        copy: ``'folder'`` (default): copy the images into a folder;
            ``'tar'``: write them into one tar, to be unpacked where training
            reads them; ``'none'``: write only a list of their URLs.
    """

    temperature: float | str | None = None
    min_probability: float = 0.0
    min_precision: float | None = None
    score: str = 'softmax'
    assign: str = 'independent'
    oversample_factor: float = 2.0
    max_rounds: int = 4
    duplicates: CopyRule = CopyRule()
    exclude: CopyRule = CopyRule()
    metadata_filter: MetadataRule = MetadataRule()
    index_factor: int = 10
    index_parameters: str | None = None
    copy: str = 'folder'

    def __post_init__(self) -> None:
        """Raise ValueError if a value is out of its range."""
        if self.temperature not in (None, 'auto'):
            check_temperature(self.temperature)
        for name in ('min_probability', 'min_precision'):
            self._check_limit(name)
        if not (
            _is_number(self.oversample_factor)
            and 1 <= self.oversample_factor < math.inf
        ):
            raise ValueError(
                f'oversample_factor must be a finite number >= 1, got '
                f'{self.oversample_factor!r}'
            )
        for name, least in (('max_rounds', 0), ('index_factor', 1)):
            value = getattr(self, name)
            if not (_is_number(value, Integral) and value >= least):
                raise ValueError(
                    f'{name} must be a whole number >= {least}, got {value!r}'
                )
        for name, allowed in (
            ('score', SCORES),
            ('assign', ASSIGNMENTS),
            ('copy', COPIES),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f'{name} must be one of {", ".join(allowed)}, got '
                    f'{getattr(self, name)!r}'
                )

    def _check_limit(self, name: str) -> None:
        """Raise ValueError unless a limit on probabilities is in [0, 1)."""
        limit = getattr(self, name)
        if name == 'min_precision' and limit is None:
            return
        if not (_is_number(limit) and 0 <= limit < 1):
            raise ValueError(f'{name} must be in [0, 1), got {limit!r}')
        if limit and self.score != 'softmax':
            raise ValueError(
                f"{name}={limit} needs score='softmax', got {self.score!r}: "
                f'other scores are not probabilities'
            )
