"""img2dataset's parquet files, and its counts of downloads."""

import json
import tarfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from web_memory import ENCODER, draw, embed, write_tar

from ltvl_mm.retrieval.reading import parquet_images, parquet_rows
from ltvl_mm.retrieval.reading.downloads import count_downloads
from ltvl_mm.retrieval.reading.parquet_rows import read_row
from ltvl_mm.retrieval.reading.shards import find_shards, iterate_shard
from ltvl_mm.retrieval.reading.web_image import read_image_bytes
from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.task import RetrievalOptions, RetrievalTask
from ltvl_mm.structures.class_queries import ClassQueries

FAILED = {3: 'failed_to_download', 5: 'failed_to_resize'}


def _write(path, numbers, *, column='png', group=4, **columns):
    """Write a file as img2dataset does: a row per address."""
    rows = []
    for number in numbers:
        status = FAILED.get(number, 'success')
        rows.append(
            {
                'url': f'http://x/{number}',
                'caption': f'number {number}',
                'key': f'{number:09d}',
                'status': status,
                'error_message': None,
                'width': 8 if status == 'success' else None,
                'original_width': 100 + number,
                'exif': '{}',
                column: draw(number) if status == 'success' else None,
            }
            | {name: values[number] for name, values in columns.items()}
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=group)
    return path


def test_images_have_the_keys_and_words_of_the_other_formats(tmp_path):
    parquet = _write(tmp_path / 'a' / '00000.parquet', range(11))
    members = []
    for number in set(range(11)) - set(FAILED):
        record = {'url': f'http://x/{number}', 'original_width': 100 + number}
        members += [
            (f'{number:09d}.png', draw(number)),
            (f'{number:09d}.txt', f'number {number}'.encode()),
            (f'{number:09d}.json', json.dumps(record).encode()),
        ]
    tar = write_tar(tmp_path / 'b' / '00000.tar', members)
    stores = [
        embed(find_shards([str(file)]), file.parent / 'store')
        for file in (parquet, tar)
    ]
    names = ('image_path', 'caption', 'url', 'sha256', 'size')
    first, second = (s.read_metadata(np.arange(9), names) for s in stores)
    assert first == second
    assert first['image_path'][0] == '00000/000000000'
    for store in stores:
        columns = store.read_columns(store.parts[0], ['original_width'])
        assert columns['original_width'].to_pylist()[-1] == 110
        assert store.parts[0].bad == ()


@pytest.mark.parametrize('copy', ['folder', 'tar'])
def test_retrieved_images_are_copied_from_a_parquet_file(tmp_path, copy):
    file = _write(tmp_path / '00000.parquet', range(8, 60))
    store = embed(find_shards([str(file)]), tmp_path / 'store')
    queries = ClassQueries(
        ('red', 'green'), ('a {}',), np.eye(2, 4, dtype=np.float32), ENCODER
    )
    options = RetrievalOptions(temperature=0.01, copy=copy)
    task = RetrievalTask(store, queries, np.array([5, 5]), (), options)
    manifest, _ = run_retrieval(task, tmp_path / 'out')
    assert len(manifest.key) > 1
    if copy == 'tar':
        with tarfile.open(tmp_path / 'out' / 'images.tar') as tar:
            tar.extractall(tmp_path / 'out')
    for key, name in zip(manifest.key, manifest.file, strict=True):
        number = int(key.removeprefix('00000/'))
        assert (tmp_path / 'out' / name).read_bytes() == draw(number)


@pytest.mark.parametrize('group', [1, 4, 1000])
def test_images_are_fetched_again_in_any_order(tmp_path, monkeypatch, group):
    monkeypatch.setattr(parquet_rows, 'BATCH_ROWS', 3)
    file = _write(tmp_path / '0.parquet', range(60), group=group)
    store = embed(find_shards([str(file)]), tmp_path / 'store')
    names = ('source', 'offset', 'size', 'sha256', 'image_path')
    rows = np.random.default_rng(0).permutation(len(store))
    found = store.read_metadata(rows, names)
    for turn in range(len(rows)):
        *place, key = (found[name][turn] for name in names)
        assert read_image_bytes(*place) == draw(int(key.split('/')[1]))


def test_a_file_that_changed_is_noticed(tmp_path):
    file = _write(tmp_path / '0.parquet', range(3))
    image = next(iterate_shard(*find_shards([str(file)])))
    sha256 = '0' * 64
    with pytest.raises(ValueError, match='has other bytes'):
        read_image_bytes(image.source, 0, len(image.data), sha256)
    with pytest.raises(ValueError, match='row 9: there are 3 rows'):
        read_row(str(file), 9)
    _write(file, range(2))
    with pytest.raises(ValueError, match='row 2: there are 2 rows'):
        read_row(str(file), 2)
    file.unlink()
    with pytest.raises(ValueError, match=r'changed: .* No such file'):
        read_image_bytes(image.source, 0, len(image.data), sha256)


def test_failed_downloads_are_not_bad_images(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_images, 'MAX_IMAGE_BYTES', 100)
    file = _write(tmp_path / '0.parquet', range(6))
    table = pq.read_table(file).to_pylist()
    table[0]['png'] = None
    table[1]['png'] = bytes(101)
    table[2]['key'] = table[4]['key']
    pq.write_table(pa.Table.from_pylist(table), file)
    found = list(iterate_shard(*find_shards([str(file)])))
    assert [image.reason for image in found] == [
        'the row has no image bytes',
        '101 bytes is too large',
        None,
        'a second image of this key',
    ]


def test_a_broken_file_gives_the_images_before(tmp_path):
    file = _write(tmp_path / '0.parquet', range(20), group=10)
    (shard,) = find_shards([str(file)])
    start = pq.ParquetFile(file).metadata.row_group(1).column(0)
    data = bytearray(file.read_bytes())
    data[start.data_page_offset - 400 : start.data_page_offset + 900] = bytes(
        1300
    )
    file.write_bytes(data)
    *found, last = iterate_shard(shard)
    assert {image.reason for image in found} <= {None}
    assert 'the parquet file is broken from here' in last.reason


def test_files_without_images_are_refused_by_name(tmp_path):
    file = tmp_path / '0.parquet'
    pq.write_table(pa.table({'url': ['http://x'], 'key': ['0']}), file)
    with pytest.raises(
        ValueError, match=r'no image bytes in .* are url, key\. Expect'
    ):
        find_shards([str(file)])
    file.write_bytes(b'PAR1 no')
    with pytest.raises(ValueError, match='cannot be read as parquet'):
        find_shards([str(file)])


# Counts of downloads.


def _write_stats(path, count, failed, resize):
    stats = {
        'count': count,
        'successes': count - failed - resize,
        'failed_to_download': failed,
        'failed_to_resize': resize,
        'duration': 1.5,
        'status_dict': {'success': count - failed - resize},
    }
    path.write_text(json.dumps(stats))


def test_counts_come_from_the_stats_next_to_tars_and_folders(tmp_path):
    for number in range(3):
        write_tar(tmp_path / f'{number:05d}.tar', [('0.png', draw(0))])
    (tmp_path / '00003').mkdir()
    (tmp_path / '00003' / '0.png').write_bytes(draw(1))
    _write_stats(tmp_path / '00000_stats.json', 100, 10, 1)
    _write_stats(tmp_path / '00003_stats.json', 1000, 20, 2)
    (tmp_path / '00001_stats.json').write_text('{"count": -1')
    assert str(count_downloads(find_shards([str(tmp_path)]))) == (
        'img2dataset: 1,100 addresses, 1,067 downloaded, 30 failed to '
        'download, 3 failed to resize (2 of 4 shards have counts)'
    )


def test_a_parquet_file_without_stats_is_counted_by_status(tmp_path):
    file = _write(tmp_path / '0.parquet', range(6))
    assert str(count_downloads(find_shards([str(file)]))) == (
        'img2dataset: 6 addresses, 4 downloaded, 1 failed to download, 1 '
        'failed to resize'
    )


def test_there_are_no_counts_without_img2dataset(tmp_path):
    tar = write_tar(tmp_path / '0.tar', [('0.png', draw(0))])
    assert count_downloads(find_shards([str(tar)])) is None
