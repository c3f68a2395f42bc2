import json
from dataclasses import replace

import numpy as np
import pytest
from color_world import NAMES, OPTIONS, QUERIES, WEB
from web_memory import embed

from ltvl_mm.retrieval.metadata_filter import MetadataRule
from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.retrieval.retrieval_report import describe_report
from ltvl_mm.retrieval.task import RetrievalOptions


def test_each_class_gets_its_best_images_without_copies(run):
    manifest, _ = run([3, 2, 0])
    assert manifest.key == (
        '0/one',
        '0/two',
        '0/three',
        '1/grass',
        'sub/moss.png',
    )
    assert manifest.class_names == NAMES
    assert manifest.class_id.tolist() == [0, 0, 0, 1, 1]
    assert manifest.rank.tolist() == [0, 1, 2, 0, 1]
    assert (np.diff(manifest.score)[[0, 1, 3]] < 0).all()
    assert manifest.caption[:4] == ('0/one', '0/two', '0/three', '1/grass')
    assert manifest.caption[4] == ''


def test_scores_and_cosines_are_those_of_the_paper(run, store):
    manifest, _ = run([2, 1, 1])
    keys = store.read_metadata(np.arange(len(store)))['image_path']
    rows = [keys.index(key) for key in manifest.key]
    cosines = store.read_rows(np.array(rows)) @ QUERIES.embeddings.T
    powers = np.exp(cosines.astype(float) / 0.05)
    p = powers / powers.sum(1, keepdims=True)
    for row, label in enumerate(manifest.class_id):
        odds = p[row, label] / (1 - p[row, label])
        assert manifest.score[row] == pytest.approx(np.log(odds), abs=1e-5)
        cosine = cosines[row, label]
        assert manifest.cosine[row] == pytest.approx(cosine, abs=1e-6)


@pytest.mark.parametrize(
    ('factor', 'rounds', 'keys', 'candidates'),
    [
        (1.0, 0, ('0/one',), 2),  # the leak and one more
        (1.5, 0, ('0/one',), 3),  # and the copy
        (2.0, 0, ('0/one', '0/two'), 4),
        (1.0, 1, ('0/one', '0/two'), 4),
        (1.0, 9, ('0/one', '0/two'), 4),
        (1.5, 1, ('0/one', '0/two'), 6),
    ],
)
def test_copies_are_replaced_while_candidates_last(
    run, tmp_path, factor, rounds, keys, candidates
):
    options = replace(OPTIONS, oversample_factor=factor, max_rounds=rounds)
    manifest, _ = run([2, 1, 0], options=options)
    assert manifest.key == (*keys, '1/grass')
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    red, green, _ = report['classes']
    assert red['retrieved'] == len(keys)
    assert red['candidates'] == candidates
    assert green['candidates'] == np.ceil(factor)  # is not asked again
    short = None if len(keys) == 2 else 'limit of candidates'
    assert red['short_because'] == short
    assert report['missing'] == 2 - len(keys)


def test_a_store_that_has_no_more_is_not_searched_again(run, tmp_path):
    manifest, _ = run(
        [99, 2, 0], options=replace(OPTIONS, oversample_factor=1)
    )
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    red = report['classes'][0]
    assert (red['candidates'], red['retrieved']) == (10, 8)
    assert red['short_because'] == 'the store has no more'
    assert manifest.count_classes().tolist() == [8, 2, 0]


def test_a_copy_of_any_excluded_store_is_dropped(run, kept_out, tmp_path):
    (tmp_path / 'val').mkdir()
    (tmp_path / 'val' / 'sky.png').write_bytes(WEB['sky.png'])
    val = embed(find_shards([str(tmp_path / 'val')]), tmp_path / 'val_store')
    assert run([0, 0, 1], 'test')[0].key == ('sky.png',)
    for out, stores in [('a', [val, kept_out]), ('b', [kept_out, val])]:
        _, rejected = run([1, 0, 1], out, excluded=stores)
        assert [(r.key, r.copy_of) for r in rejected] == [
            ('0/leak', 'red.png'),
            ('1/again', '0/one'),
            ('sky.png', 'sky.png'),
        ]


def test_without_excluded_stores_the_best_image_stays(run):
    manifest, _ = run([1, 0, 0], excluded=[])
    assert manifest.key == ('0/leak',)


def test_an_image_may_serve_two_classes_but_not_with_argmax(run):
    manifest, _ = run([0, 0, 9], 'independent')
    assert 'sub/moss.png' in manifest.key
    options = replace(OPTIONS, assign='argmax')
    manifest, _ = run([9, 9, 9], 'argmax', options)
    assert manifest.count_classes().tolist() == [4, 3, 1]
    assert len(set(manifest.key)) == len(manifest)


def test_filters_are_counted_and_replaced(run, tmp_path):
    rule = MetadataRule(values={'image_path': ('0/two', '1/four')})
    options = replace(OPTIONS, metadata_filter=rule)
    manifest, _ = run([1, 0, 0], options=options)
    assert manifest.key == ('0/two',)
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert report['rows_in_store'] == 10
    assert report['rows_refused_by_filters'] == {
        'image_path = 0/two or 1/four': 8
    }


def test_a_budget_of_nothing_gives_an_empty_manifest(run):
    manifest, rejected = run([0, 0, 0])
    assert (len(manifest), rejected) == (0, [])


def test_an_excluded_store_of_another_encoder_is_refused(run, kept_out):
    other = replace(kept_out, encoder={'arch': 'another'})
    with pytest.raises(ValueError, match='different encoders'):
        run([1, 1, 1], excluded=[other])


@pytest.mark.parametrize('factor', [0.99, 0, float('nan')])
def test_there_is_at_least_one_candidate_per_image(factor):
    with pytest.raises(
        ValueError, match='_factor must be a finite number >= 1'
    ):
        RetrievalOptions(oversample_factor=factor)


@pytest.mark.parametrize(
    'temperature', [0, -1, 1e-300, 1e-7, 1e4, float('nan'), float('inf'), True]
)
def test_the_temperature_is_a_positive_number(temperature):
    with pytest.raises(ValueError, match='temperature must be a finite'):
        RetrievalOptions(temperature=temperature)


def test_images_below_the_minimum_probability_are_left_out(run, tmp_path):
    every, _ = run([9, 3, 1], 'every')
    probability = 1 / (1 + np.exp(-every.score))
    red = np.sort(probability[every.class_id == 0])
    assert red[0] < 0.5
    limit = float(np.mean(red[-3:-1]))  # between the second and the third
    options = replace(OPTIONS, min_probability=limit)
    manifest, _ = run([9, 3, 1], options=options)
    expected = [
        key
        for key, p in zip(every.key, probability, strict=True)
        if p >= limit
    ]
    assert manifest.key == tuple(expected)
    assert manifest.source['min_probability'] == limit
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    # Two, besides the leak and the copy.
    reason = report['classes'][0]['short_because']
    assert reason.startswith('only ')
    assert reason.endswith(f'images reach the probability {limit}')
    assert report['below_min_probability'] > 0


def test_a_minimum_that_no_image_reaches_is_named(run):
    with pytest.raises(
        ValueError, match=r'the minimum probability of 0.999\d* \('
    ):
        run([2, 2, 2], options=replace(OPTIONS, min_probability=1 - 1e-12))


def test_images_that_prefer_other_classes_are_the_reason(run, tmp_path):
    run([9, 9, 9], options=replace(OPTIONS, assign='argmax'))
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    reasons = [entry['short_because'] for entry in report['classes']]
    assert reasons == [
        'only 6 images prefer this class',
        'only 3 images prefer this class',
        'only one image prefers this class',
    ]


@pytest.mark.parametrize(
    ('options', 'match'),
    [
        (dict(min_probability=1.0), r'must be in \[0, 1\)'),
        (dict(min_probability=0.5, score='cosine'), "needs score='softmax'"),
        (dict(temperature='warm'), "'auto' .* got 'warm'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, match):
    with pytest.raises(ValueError, match=match):
        RetrievalOptions(**options)


def test_a_task_needs_a_number_as_temperature(run):
    with pytest.raises(ValueError, match='needs a number as temperature'):
        run([1, 1, 1], options=replace(OPTIONS, temperature=None))


def test_images_of_several_classes_are_counted(run, tmp_path):
    manifest, _ = run([6, 6, 1], excluded=[])
    different = len(set(manifest.key))
    assert different < len(manifest)
    report = json.loads((tmp_path / 'out/report.json').read_text())
    assert report['different_images'] == different
    line = (
        f'{different} different images: {len(manifest) - different} of the '
        f'{len(manifest)} repeat an image of another class, so that its '
        f'labels contradict each other; --assign argmax'
    )
    assert line in describe_report(tmp_path / 'out')


def test_a_retrieval_without_repeated_images_does_not_mention_them(
    run, tmp_path
):
    run([1, 1, 1])
    assert 'different' not in describe_report(tmp_path / 'out')
