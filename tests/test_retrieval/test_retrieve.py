import hashlib
import json
import os
import tarfile
from dataclasses import asdict, replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from web_memory import ENCODER, embed, read_folder, save, write_tar

from ltvl_mm.datasets.retrieved import RetrievedDataset
from ltvl_mm.retrieval import run_retrieval as retrieval_module
from ltvl_mm.retrieval.choice import Rejected
from ltvl_mm.retrieval.dedup import near_duplicate_pictures as pictures
from ltvl_mm.retrieval.dedup.near_duplicates import CopyRule
from ltvl_mm.retrieval.metadata_filter import AdmissionRule
from ltvl_mm.retrieval.plan import plan_retrieval
from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.search.selection import Selection
from ltvl_mm.retrieval.task import RetrievalOptions, RetrievalTask
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.copy_pictures import load_copy_pictures
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.utils.image_decoding import decode_image
from ltvl_mm.utils.perceptual_hash import compute_phash

NAMES = ('red', 'green', 'blue')
QUERIES = ClassQueries(
    NAMES, ('a {} picture',), np.eye(3, 4, dtype=np.float32), ENCODER
)
# Each image has a pattern of its own, so that the hash tells them apart; the
# toy encoder sees the mean color only, and takes all of a class for copies.
OPTIONS = RetrievalOptions(
    temperature=0.05,
    over=3,
    duplicates=CopyRule(0.9, 10),
    exclude=CopyRule(0.9, 10),
)


def _paint(label, purity, pattern):
    """An image of a class; the purer its color, the higher it scores."""
    noise = np.random.default_rng(pattern).uniform(-40, 40, (8, 8, 1))
    noise = np.kron(noise - noise.mean(), np.ones((4, 4, 1)))
    color = np.full(3, 110.0 - 10 * purity)
    color[label] = 150 + 10 * purity
    return Image.fromarray((color + noise).round().astype(np.uint8))


RED = [_paint(0, 5 - place, place) for place in range(5)]  # best first
GREEN = [_paint(1, 3 - place, 10 + place) for place in range(3)]
BLUE = _paint(2, 5, 20)
# Key: bytes. The best red one is a test image in another size and format;
# the next stands in the web twice.
WEB = {
    '0/leak': save(RED[0].resize((48, 48)), 'JPEG', quality=90),
    '0/one': save(RED[1]),
    '0/two': save(RED[2]),
    '0/three': save(RED[3]),
    '1/again': save(RED[1]),
    '1/four': save(RED[4]),
    '1/grass': save(GREEN[0]),
    'sub/moss.png': save(GREEN[1]),
    'sub/pea.png': save(GREEN[2]),
    'sky.png': save(BLUE),
}


@pytest.fixture
def store(tmp_path):
    """Two tars and a folder."""
    web = tmp_path / 'web'
    for tar in '01':
        members = [
            member
            for key, data in WEB.items()
            if key.startswith(f'{tar}/')
            for member in (
                (f'{key[2:]}.jpg', data),
                (f'{key[2:]}.txt', key.encode()),
            )
        ]
        write_tar(web / 'tars' / f'{tar}.tar', members)
    for key, data in WEB.items():
        if key.endswith('.png'):
            file = web / 'files' / key
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    shards = find_shards([str(web / 'tars'), str(web / 'files')])
    return embed(shards, tmp_path / 'store')


@pytest.fixture
def kept_out(tmp_path):
    (tmp_path / 'test').mkdir()
    (tmp_path / 'test' / 'red.png').write_bytes(save(RED[0]))
    shards = find_shards([str(tmp_path / 'test')])
    return embed(shards, tmp_path / 'kept_out_store')


@pytest.fixture
def run(store, kept_out, tmp_path):
    def run(budget, out='out', options=OPTIONS, excluded=(kept_out,), **how):
        task = RetrievalTask(
            store, QUERIES, np.array(budget), excluded, options, **how
        )
        return run_retrieval(task, tmp_path / out)

    return run


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


def test_images_are_copied_byte_by_byte_to_class_and_rank(run, tmp_path):
    manifest, _ = run([2, 2, 1])
    assert manifest.file == (
        'images/00000/00000.jpg',
        'images/00000/00001.jpg',
        'images/00001/00000.jpg',  # of a tar
        'images/00001/00001.png',  # of a folder: keeps its suffix
        'images/00002/00000.png',
    )
    found = read_folder(tmp_path / 'out' / 'images')
    assert found == {
        file.removeprefix('images/'): WEB[key]
        for file, key in zip(manifest.file, manifest.key, strict=True)
    }


def test_the_manifest_on_the_disk_is_the_one_returned(run, tmp_path, store):
    manifest, _ = run([2, 2, 1])
    saved = load_manifest(tmp_path / 'out' / 'manifest.parquet')
    assert (saved.key, saved.file) == (manifest.key, manifest.file)
    assert np.array_equal(saved.score, manifest.score)
    assert saved.source['store'] == store.fingerprint
    assert saved.source['encoder'] == ENCODER
    assert saved.source['templates'] == ['a {} picture']
    assert saved.source['budget'] == [2, 2, 1]
    assert saved.source['temperature'] == 0.05
    assert saved.source['duplicates'] == asdict(CopyRule(0.9, 10))


def test_what_was_passed_over_is_reported(run, tmp_path):
    manifest, rejected = run([2, 1, 1])
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert report['rejected'] == [asdict(entry) for entry in rejected]
    assert [(r.key, r.class_id, r.reason, r.copy_of) for r in rejected] == [
        ('0/leak', 0, 'excluded', 'red.png'),
        ('1/again', 0, 'duplicate', '0/one'),
    ]
    assert min(r.cosine for r in rejected) > 0.99
    assert [r.evidence for r in rejected] == ['looks', 'bytes']
    red, green, _ = report['classes']
    scores = manifest.score[manifest.class_id == 0]
    assert red == {
        'class_id': 0,
        'name': 'red',
        'wanted': 2,
        'retrieved': 2,
        'candidates': 6,
        'duplicates': 1,
        'copies_of_excluded_images': 1,
        'highest_score': scores[0],
        'lowest_score': scores[1],
        'short_because': None,
    }
    assert (green['wanted'], green['retrieved']) == (1, 1)
    assert (report['retrieved'], report['missing']) == (4, 0)
    assert report['duplicates'] == 1
    assert report['copies_of_excluded_images'] == 1


@pytest.mark.parametrize(
    ('over', 'refill', 'keys', 'candidates'),
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
    run, tmp_path, over, refill, keys, candidates
):
    options = replace(OPTIONS, over=over, refill=refill)
    manifest, _ = run([2, 1, 0], options=options)
    assert manifest.key == (*keys, '1/grass')
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    red, green, _ = report['classes']
    assert red['retrieved'] == len(keys)
    assert red['candidates'] == candidates
    assert green['candidates'] == np.ceil(over)  # is not asked again
    short = None if len(keys) == 2 else 'limit of candidates'
    assert red['short_because'] == short
    assert report['missing'] == 2 - len(keys)


def test_a_store_that_has_no_more_is_not_searched_again(run, tmp_path):
    manifest, _ = run([99, 2, 0], options=replace(OPTIONS, over=1))
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


def test_two_runs_write_the_same_bytes(run, tmp_path):
    run([3, 2, 1], 'one')
    run([3, 2, 1], 'two')
    assert read_folder(tmp_path / 'one') == read_folder(tmp_path / 'two')


def test_copies_of_test_images_are_pictured_beside_what_they_copy(
    run, tmp_path
):
    run([3, 2, 1])
    (copy,) = load_copy_pictures(tmp_path / 'out', len(NAMES))
    assert (copy.key, copy.copy_of) == ('0/leak', 'red.png')
    assert copy.class_ids == (0,)
    assert copy.evidence == 'looks'
    sizes = [
        Image.open(tmp_path / 'out' / file).size
        for file in (copy.picture, copy.original)
    ]
    assert sizes == [(48, 48), (32, 32)]


def test_a_copy_whose_original_has_moved_is_listed_without_it(run, tmp_path):
    (tmp_path / 'test' / 'red.png').unlink()
    run([3, 2, 1])
    (copy,) = load_copy_pictures(tmp_path / 'out', len(NAMES))
    assert copy.picture == 'copies/000_web.jpg'
    assert copy.original == ''


def test_of_many_copies_evenly_many_are_pictured(
    store, kept_out, tmp_path, monkeypatch
):
    monkeypatch.setattr(pictures, 'MAX_PICTURES', 3)
    rejected = [
        Rejected(f'k{number}', 0, reason, 'red.png', 0.99, 'bytes')
        for number in range(9)
        for reason in ('excluded', 'duplicate')
    ]
    pictures.write_copy_pictures(tmp_path, rejected, store, [kept_out])
    keys = [copy.key for copy in load_copy_pictures(tmp_path, 3)]
    assert keys == ['k0', 'k4', 'k8']


def test_a_picture_outside_the_folder_is_refused(run, tmp_path):
    run([3, 2, 1])
    file = tmp_path / 'out/copies/copies.json'
    file.write_text(file.read_text().replace('copies/000_web', '../../x'))
    with pytest.raises(ValueError, match='must be a path inside the folder'):
        load_copy_pictures(tmp_path / 'out', len(NAMES))


def test_a_finished_run_is_read_and_not_made_again(run, tmp_path):
    manifest, rejected = run([3, 2, 1])
    before = {
        path: os.stat(path).st_mtime_ns
        for path in (tmp_path / 'out').rglob('*.*')
        if path.name != 'settings.json'
    }
    again, rejected_again = run([3, 2, 1])
    assert (again.key, rejected_again) == (manifest.key, rejected)
    assert before == {path: os.stat(path).st_mtime_ns for path in before}


def test_a_broken_off_run_is_finished(run, tmp_path):
    run([3, 2, 1], 'whole')
    run([3, 2, 1])
    (tmp_path / 'out' / 'manifest.parquet').unlink()
    (tmp_path / 'out' / 'images' / '00000' / '00001.jpg').write_bytes(b'half')
    run([3, 2, 1])
    assert read_folder(tmp_path / 'out') == read_folder(tmp_path / 'whole')


@pytest.mark.parametrize('unit_rows', [1, 3, 100])
def test_units_change_no_byte_and_are_removed(run, tmp_path, unit_rows):
    run([3, 2, 1], 'whole')
    run([3, 2, 1], unit_rows=unit_rows)
    assert read_folder(tmp_path / 'out') == read_folder(tmp_path / 'whole')
    assert not (tmp_path / 'out' / 'selection').exists()


def test_units_that_are_done_are_not_read_again(
    run, store, tmp_path, monkeypatch
):
    run([3, 2, 1], 'whole')
    read, scan = [], Selection.scan

    def scan_twice(self, pool, start, stop, **options):
        if len(read) == 2:
            raise KeyboardInterrupt
        read.append((start, stop))
        scan(self, pool, start, stop, **options)

    monkeypatch.setattr(Selection, 'scan', scan_twice)
    with pytest.raises(KeyboardInterrupt):
        run([3, 2, 1], unit_rows=3)
    with pytest.raises(ValueError, match='begun with another unit_rows'):
        run([3, 2, 1], unit_rows=4)
    first = read.copy()
    read.clear()
    run([3, 2, 1], unit_rows=3)
    # Parts have 4, 3 and 3 rows: none but the first is cut.
    assert first + read == [(0, 3), (3, 4), (4, 7), (7, 10)]
    assert read_folder(tmp_path / 'out') == read_folder(tmp_path / 'whole')


def test_a_plan_counts_what_is_left_and_writes_nothing(
    run, store, tmp_path, monkeypatch
):
    options = replace(OPTIONS, admission=AdmissionRule(max_aspect=9), over=2)
    task = RetrievalTask(
        store, QUERIES, np.array([3, 20, 0]), (), options, unit_rows=3
    )
    plan = plan_retrieval(task, tmp_path / 'out', ranks=2)
    assert not (tmp_path / 'out').exists()
    assert (plan.rows, plan.images, plan.candidates) == (10, 23, 6 + 10)
    assert (plan.units, plan.done, plan.admitted) == (4, 0, 1)
    assert plan.bytes_left == 10 * 4 * 2
    assert plan.seconds == pytest.approx(10 / plan.rate / 2)
    assert '4, of which 0 are done' in plan.describe()
    monkeypatch.setattr(retrieval_module, 'broadcast_object', _fail_after(2))
    with pytest.raises(KeyboardInterrupt):
        run_retrieval(task, tmp_path / 'out')
    before = read_folder(tmp_path / 'out')
    plan = plan_retrieval(task, tmp_path / 'out')
    assert (plan.done, plan.bytes_left, plan.seconds) == (4, 0, 0)
    assert read_folder(tmp_path / 'out') == before
    other = replace(task, budget=np.array([3, 2, 0]))
    with pytest.raises(ValueError, match='begun with another budget'):
        plan_retrieval(other, tmp_path / 'out')


def _fail_after(calls):
    """Return a ``broadcast_object`` that is interrupted in its last call."""
    left = iter(range(calls - 1))

    def broadcast_object(content):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return content

    return broadcast_object


def test_images_can_be_listed_for_download_instead(run, tmp_path):
    manifest, _ = run([2, 1, 1], 'copied')
    options = replace(OPTIONS, copy='none')
    listed, _ = run([2, 1, 1], options=options)
    assert (listed.key, listed.file) == (manifest.key, manifest.file)
    assert not (tmp_path / 'out' / 'images').exists()
    table = pq.read_table(tmp_path / 'out' / 'download.parquet')
    assert table.column_names == [
        'url',
        'caption',
        'key',
        'file',
        'sha256',
        'phash',
    ]
    assert table['file'].to_pylist() == list(manifest.file)
    images = [
        (tmp_path / 'copied' / file).read_bytes() for file in manifest.file
    ]
    assert table['sha256'].to_pylist() == [
        hashlib.sha256(data).hexdigest() for data in images
    ]
    assert table['phash'].to_pylist() == [
        compute_phash(decode_image(data)) for data in images
    ]


def test_images_can_be_packed_into_one_tar(run, tmp_path):
    manifest, _ = run([2, 1, 1], 'copied')
    options = replace(OPTIONS, copy='tar')
    run([2, 1, 1], options=options)
    out = tmp_path / 'out'
    first = (out / 'images.tar').read_bytes()
    with pytest.raises(
        ValueError, match=r'unpack them: tar -xf .*images\.tar'
    ):
        RetrievedDataset(str(out / 'manifest.parquet'))
    with tarfile.open(out / 'images.tar') as tar:
        tar.extractall(out, filter='data')
    for file in manifest.file:
        copied = (tmp_path / 'copied' / file).read_bytes()
        assert (out / file).read_bytes() == copied
    assert len(RetrievedDataset(str(out / 'manifest.parquet'))) == 4
    run([2, 1, 1], 'again', options=options)
    assert (tmp_path / 'again' / 'images.tar').read_bytes() == first


def test_what_others_embedded_is_retrieved_without_hashes(
    run, store, tmp_path
):
    for part in store.parts:
        table = pq.read_table(part.table).select(['image_path', 'url'])
        pq.write_table(table, part.table)
    message = (
        r'copying images needs the columns source, .* --local-images FOLDER .*'
        r'--copy none.*: python tools/place_downloads\.py OUT DOWNLOADS$'
    )
    with pytest.raises(ValueError, match=message):
        run([2, 1, 1], verify=False)
    # The toy encoder sees colors, of which copies have the very same.
    rule = CopyRule(0.9, 10, cosine_alone=0.99999)
    options = replace(OPTIONS, copy='none', duplicates=rule, exclude=rule)
    manifest, rejected = run([3, 1, 1], options=options, verify=False)
    assert manifest.key[:3] == ('0/one', '0/two', '0/three')
    assert {(r.key, r.copy_of, r.evidence) for r in rejected} >= {
        ('0/leak', 'red.png', 'looks'),
        ('1/again', '0/one', 'looks'),
    }
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert report['copies_recognized_without'] == {
        str(store.root): ['sha256', 'phash']
    }


def test_filters_are_counted_and_replaced(run, tmp_path):
    rule = AdmissionRule(values={'image_path': ('0/two', '1/four')})
    options = replace(OPTIONS, admission=rule)
    manifest, _ = run([1, 0, 0], options=options)
    assert manifest.key == ('0/two',)
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert report['rows_in_store'] == 10
    assert report['rows_refused_by_filters'] == {
        'image_path = 0/two or 1/four': 8
    }


def test_a_folder_of_another_budget_is_refused(run):
    run([3, 2, 1])
    with pytest.raises(ValueError, match='begun with another budget'):
        run([3, 2, 2])


def test_a_budget_of_nothing_gives_an_empty_manifest(run):
    manifest, rejected = run([0, 0, 0])
    assert (len(manifest), rejected) == (0, [])


@pytest.mark.parametrize('change', ['replaced', 'deleted'])
def test_a_web_memory_that_has_changed_leaves_no_manifest(
    run, tmp_path, change
):
    file = tmp_path / 'web' / 'files' / 'sky.png'
    if change == 'replaced':
        data = WEB['sky.png']
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))  # as long
    else:
        file.unlink()
    with pytest.raises(ValueError, match=r'web images have changed: .*sky'):
        run([1, 1, 1])
    assert not (tmp_path / 'out' / 'manifest.parquet').exists()


def test_an_excluded_store_of_another_encoder_is_refused(run, kept_out):
    other = replace(kept_out, encoder={'arch': 'another'})
    with pytest.raises(ValueError, match='different encoders'):
        run([1, 1, 1], excluded=[other])


@pytest.mark.parametrize('over', [0.99, 0, float('nan')])
def test_there_is_at_least_one_candidate_per_image(over):
    with pytest.raises(ValueError, match='over must be a finite number >= 1'):
        RetrievalOptions(over=over)


@pytest.mark.parametrize('temperature', [0, -1, float('nan'), float('inf')])
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
