from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from web_memory import ENCODER, write_store

from ltvl_mm.retrieval.metadata_filter import MetadataFilter, MetadataRule
from ltvl_mm.retrieval.search.search_spec import SearchOptions
from ltvl_mm.retrieval.search.selection import select_images
from ltvl_mm.structures.class_queries import ClassQueries

COLUMNS = {
    'image_path': [f'k{row}' for row in range(20)],
    'url': [
        'http://example.com/a.jpg',
        'https://cdn.Example.com:8080/a.jpg?from=http://other.org/',
        'https://badexample.com/a.jpg',
        'http://example.com@other.org/a.jpg',
        'http://other.org./a.jpg',
        'no address',
        '',
        None,
    ]
    + ['https://x.y'] * 12,
    'WIDTH': [100, 100, 64, 63, 300, 301, None, 0] + [100] * 12,
    'HEIGHT': [100, 64, 64, 300, 100, 100, 100, 0] + [100] * 12,
    'punsafe': [0.5, 0.51, None, np.nan, 0.0, 1.0, 0.1, 0.2] + [0.9] * 12,
    'LANGUAGE': ['en', 'EN', 'de', None, 'fr', 'en', '', 'de'] + ['x'] * 12,
    'flag': [1, 0] * 10,
}


@pytest.fixture
def store(tmp_path):
    """Three parts of LAION's columns, one of them empty."""
    x = np.random.default_rng(0).normal(size=(20, 4))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype('f2')
    store = write_store(tmp_path, [x[:9], x[:0], x[9:]])
    table = pa.table(COLUMNS)
    for number, rows in ((0, slice(0, 9)), (2, slice(9, 20))):
        file = store.parts[number].table
        pq.write_table(table.take(np.arange(20)[rows]), file)
    return store


@pytest.mark.parametrize(
    ('rule', 'kept'),
    [
        (MetadataRule(min_size=64), [0, 1, 2, 4, 5]),
        (MetadataRule(max_aspect=3), [0, 1, 2, 4, 7]),
        (MetadataRule(most={'punsafe': 0.5}), [0, 4, 6, 7]),
        (MetadataRule(least={'punsafe': 0.5}), [0, 1, 5]),
        (MetadataRule(values={'language': ('en', 'de')}), [0, 2, 5, 7]),
        (MetadataRule(values={'flag': ('1',)}), [0, 2, 4, 6]),
        (MetadataRule(allowed_hosts=('example.com',)), [0, 1]),
        (MetadataRule(denied_hosts=('example.com',)), [2, 3, 4]),
        (MetadataRule(denied_hosts=('other.org', 'x')), [0, 1, 2]),
        (
            MetadataRule(
                min_size=64, most={'punsafe': 0.5}, values={'flag': ('1',)}
            ),
            [0, 4],
        ),
    ],
)
def test_a_row_that_says_too_little_or_the_wrong_thing_is_refused(
    store, rule, kept
):
    metadata_filter = MetadataFilter(store, rule)
    mask = metadata_filter(0, 20)
    assert np.flatnonzero(mask[:8]).tolist() == list(kept)
    assert (
        sum(metadata_filter.count_filtered_out().values()) == 20 - mask.sum()
    )


def test_any_range_gives_the_same_answers(store):
    rule = MetadataRule(values={'image_path': ('k1', 'k8', 'k9', 'k17')})
    mask = MetadataFilter(store, rule)(0, 20)
    assert np.flatnonzero(mask).tolist() == [1, 8, 9, 17]
    for start in range(20):
        for stop in range(start, 21):
            # Every part anew, and in any order.
            found = MetadataFilter(store, rule)(start, stop)
            assert np.array_equal(found, mask[start:stop])


def test_a_part_is_read_once_and_only_what_is_asked_for(store, monkeypatch):
    asked = []
    read = type(store).read_columns

    def note(self, part, names):
        asked.append((part.number, names))
        return read(self, part, names)

    monkeypatch.setattr(type(store), 'read_columns', note)
    rule = MetadataRule(min_size=64, least={'WIDTH': 3})
    metadata_filter = MetadataFilter(store, rule)
    assert not asked
    for _ in range(2):
        metadata_filter(3, 12)
        metadata_filter.count_filtered_out()
    columns = ('WIDTH', 'width', 'height')
    assert asked == [(0, columns), (2, columns)]


def test_each_reason_is_counted_once(store):
    rule = MetadataRule(min_size=64, values={'LANGUAGE': ('en', 'de')})
    assert MetadataFilter(store, rule).count_filtered_out() == {
        'min_size 64': 3,
        'LANGUAGE = en or de': 14,
    }


def test_the_selection_ranks_what_is_kept(store):
    queries = ClassQueries(('a', 'b'), ('{}',), np.eye(2, 4), ENCODER)
    metadata_filter = MetadataFilter(
        store, MetadataRule(values={'flag': ('1',)})
    )
    options = dict(temperature=0.1)
    every = select_images(
        store, queries, np.array([20, 3]), SearchOptions(**options)
    )
    found = select_images(
        store,
        queries,
        np.array([20, 3]),
        SearchOptions(keep_rows=metadata_filter, **options),
    )
    even = [r for r in every[0].rows if r % 2 == 0]
    assert found[0].rows.tolist() == even
    assert len(found[1].rows) == 3  # replaced, not left out


def test_a_column_that_is_not_there_is_named_with_those_that_are(store):
    rule = MetadataRule(most={'nsfw_score': 0.5, 'punsafe': 1})
    with pytest.raises(
        ValueError,
        match=r'asks for nsfw_score, which .*metadata_0.parquet does not '
        r'have; it has image_path, url, WIDTH, HEIGHT, punsafe, LANGUAGE',
    ):
        MetadataFilter(store, rule)


def test_a_later_part_that_lacks_a_column_is_named(store):
    file = store.parts[2].table
    pq.write_table(pq.read_table(file).drop_columns(['punsafe']), file)
    metadata_filter = MetadataFilter(
        store, MetadataRule(most={'punsafe': 0.5})
    )
    assert metadata_filter(0, 9).any()
    with pytest.raises(ValueError, match=r'punsafe, which .*metadata_2'):
        metadata_filter(0, 20)


def test_text_that_is_no_number_is_refused_as_such(store):
    metadata_filter = MetadataFilter(store, MetadataRule(most={'url': 0.5}))
    with pytest.raises(ValueError, match=r'url <= 0.5 cannot be tested'):
        metadata_filter(0, 2)


def test_a_rule_has_its_range():
    with pytest.raises(ValueError, match=r'min_size must be .*>= 0, got -1'):
        MetadataRule(min_size=-1)
    with pytest.raises(ValueError, match=r'max_aspect must be .*got 0\.5'):
        replace(MetadataRule(), max_aspect=0.5)


@pytest.mark.parametrize('number', [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize('field', ['min_size', 'max_aspect', 'least', 'most'])
def test_a_limit_that_is_not_finite_is_refused(field, number):
    limit = {'size': number} if field in ('least', 'most') else number
    with pytest.raises(ValueError, match=f'a finite number.*got {number}'):
        MetadataRule(**{field: limit})
