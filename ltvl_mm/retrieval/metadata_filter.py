"""Filter the images of a store by their metadata."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ltvl_mm.retrieval.options import MetadataRule
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.store_files import spell_column
from ltvl_mm.structures.store_parts import Part
from ltvl_mm.utils.text import read_lines

# A host ends the name; what stands before an @ is a user.
_HOST = r'^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#]*@)?(?P<host>[^/?#:@]+)'


def read_hosts(words: Sequence[str]) -> tuple[str, ...]:
    """Return hosts in lower case, sorted, each once.

    Args:
        words: Hosts, or ``.txt`` files with one on each line; blank lines
            and comments (``# text``) are left out.
    """
    hosts = set()
    for word in words:
        if word.endswith('.txt'):
            for line in read_lines(word):
                hosts.update(line.text.split())
        else:
            hosts.add(word)
    return tuple(sorted({host.lower() for host in hosts}))


class MetadataFilter:
    """A rule's answer for each row of a store, a bit that is kept.

    Args:
        store: N images.
        rule: One that asks for something.

    Raises:
        ValueError: If the store lacks a column; names those that it has.
    """

    def __init__(self, store: EmbeddingStore, rule: MetadataRule) -> None:
        self.store = store
        self.rule = rule
        self.tests = _list_tests(rule)
        self._ends = np.cumsum([part.rows for part in store.parts])
        self._bits: dict[int, np.ndarray] = {}
        self._refused: dict[int, Counter] = {}
        for part in store.parts:
            if part.rows:
                self._check_columns(part)
                break

    def __call__(self, start: int, stop: int) -> np.ndarray:
        """Return a bool for each of the rows ``start`` to ``stop`` - 1."""
        pieces = [np.empty(0, bool)]
        while start < stop:
            number = int(np.searchsorted(self._ends, start, side='right'))
            end = int(self._ends[number])
            offset = end - self.store.parts[number].rows
            last = min(stop, end)
            pieces.append(self._look_up(number, start - offset, last - offset))
            start = last
        return np.concatenate(pieces)

    def count_filtered_out(self) -> dict[str, int]:
        """Return how many rows of the store each reason refused first."""
        total = Counter(dict.fromkeys(self.tests, 0))
        for number, part in enumerate(self.store.parts):
            if part.rows:
                self._look_up(number, 0, 0)
                total.update(self._refused[number])
        return dict(total)

    def _look_up(self, number: int, start: int, stop: int) -> np.ndarray:
        """Return the answers for rows of a part, whose table is read once."""
        if number not in self._bits:
            mask, self._refused[number] = self._test(self.store.parts[number])
            self._bits[number] = np.packbits(mask)
        first = start // 8
        bits = np.unpackbits(self._bits[number][first : -(-stop // 8)])
        return bits[start - 8 * first : stop - 8 * first].view(bool)

    def _test(self, part: Part) -> tuple[np.ndarray, Counter]:
        self._check_columns(part)
        table = self.store.read_columns(part, self.rule.columns)
        mask, refused = np.ones(part.rows, bool), Counter[str]()
        for reason, test in self.tests.items():
            try:
                passed = test(table)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise ValueError(
                    f'{part.table}: {reason} cannot be tested: {error}'
                ) from None
            refused[reason] = int((mask & ~passed).sum())
            mask &= passed
        return mask, refused

    def _check_columns(self, part: Part) -> None:
        there = self.store.find_columns(part)
        missing = [
            name
            for name in self.rule.columns
            if spell_column(there, name) is None
        ]
        if missing:
            raise ValueError(
                f'the filter asks for {", ".join(missing)}, which '
                f'{part.table} does not have; it has {", ".join(there)}'
            )


def _list_tests(
    rule: MetadataRule,
) -> dict[str, Callable[[pa.Table], np.ndarray]]:
    """Return what a rule asks of the rows of a table, by its name."""
    tests: dict[str, Callable[[pa.Table], np.ndarray]] = {}
    if rule.min_size:
        tests[f'min_size {rule.min_size}'] = lambda table: (
            np.minimum(*_read_sides(table)) >= rule.min_size
        )
    if rule.max_aspect:
        tests[f'max_aspect {rule.max_aspect:g}'] = lambda table: (
            np.maximum(*_read_sides(table))
            <= rule.max_aspect * np.minimum(*_read_sides(table))
        )
    for name, limit in rule.least.items():
        tests[f'{name} >= {limit:g}'] = partial(
            _is_at_least, name=name, limit=limit
        )
    for name, limit in rule.most.items():
        tests[f'{name} <= {limit:g}'] = partial(
            _is_at_most, name=name, limit=limit
        )
    for name, values in rule.values.items():
        tests[f'{name} = {" or ".join(values)}'] = partial(
            _has_value, name=name, values=values
        )
    if rule.allowed_hosts:
        tests['allowed_hosts'] = lambda table: _test_hosts(
            table, frozenset(rule.allowed_hosts), True
        )
    if rule.denied_hosts:
        tests['denied_hosts'] = lambda table: _test_hosts(
            table, frozenset(rule.denied_hosts), False
        )
    return tests


def _read_numbers(table: pa.Table, name: str) -> np.ndarray:
    """Return a column as (rows,) float64; NaN, which fails every test, where
    it says nothing.
    """
    column = pc.cast(table[name], pa.float64())
    return pc.fill_null(column, np.nan).to_numpy()


def _is_at_least(table: pa.Table, name: str, limit: float) -> np.ndarray:
    return _read_numbers(table, name) >= limit


def _is_at_most(table: pa.Table, name: str, limit: float) -> np.ndarray:
    return _read_numbers(table, name) <= limit


def _read_sides(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    return _read_numbers(table, 'width'), _read_numbers(table, 'height')


def _has_value(
    table: pa.Table, name: str, values: tuple[str, ...]
) -> np.ndarray:
    column = pc.cast(table[name], pa.string())
    return pc.is_in(column, pa.array(values, pa.string())).to_numpy()


def _test_hosts(
    table: pa.Table, hosts: frozenset[str], wanted: bool
) -> np.ndarray:
    """Return whether the web host of each URL lies under ``hosts``, or not."""
    found = pc.extract_regex(pc.cast(table['url'], pa.string()), _HOST)
    found = pc.utf8_lower(pc.struct_field(found, 'host')).combine_chunks()
    found = found.dictionary_encode()
    # Few hosts have most images, so that each is looked at once.
    passed = np.array(
        [
            _lies_under(host, hosts) == wanted
            for host in found.dictionary.to_pylist()
        ],
        bool,
    )
    passed = np.append(passed, False)  # no host
    places = pc.fill_null(found.indices, len(passed) - 1)
    return passed[places.to_numpy()]


def _lies_under(host: str, hosts: frozenset[str]) -> bool:
    labels = host.rstrip('.').split('.')
    return any('.'.join(labels[i:]) in hosts for i in range(len(labels)))
