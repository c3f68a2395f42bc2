"""Shards that are added, removed or changed after a store was made."""

import json
import os
import shutil

import numpy as np
import pytest
from web_memory import draw, embed, encode, read_folder, write_tar

from ltvl_mm.retrieval.reading import part_plan
from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.structures import store_numbering
from ltvl_mm.structures.store_numbering import find_parts, move_parts
from ltvl_mm.structures.store_reader import open_store

# Between and around older ones, with ten and more than ten in the end.
OLD = ('b', 'd', 'i')
ALL = tuple('abcdefghijklm')


def _write(folder, name, count=2, first=0):
    members = [
        (f'{n}.png', draw(10 * ALL.index(name) + n + first))
        for n in range(count)
    ]
    members.insert(1, ('broken.png', b'broken'))
    return write_tar(folder / f'{name}.tar', members)


@pytest.fixture
def tars(tmp_path):
    """Tars a to m; f has no image that can be read."""
    return {
        name: _write(tmp_path / 'tars', name, 0 if name == 'f' else 2)
        for name in ALL
    }


def _find(tars, names=ALL):
    return find_shards([str(tars[name]) for name in names])


def _count(shards, out, **options):
    """Embed, and return how many images were encoded."""
    sizes = []

    def count(images):
        sizes.append(len(images))
        return encode(images)

    embed(shards, out, count, **options)
    return sum(sizes)


@pytest.mark.parametrize('steps', [(OLD, ALL), (OLD, ALL[:10], ALL)])
def test_a_store_with_added_shards_equals_one_made_in_one_go(
    tars, tmp_path, steps
):
    embed(_find(tars), tmp_path / 'joint')
    encoded = [_count(_find(tars, names), tmp_path / 'x') for names in steps]
    assert sum(encoded) == 2 * (len(ALL) - 1)  # each image once
    assert read_folder(tmp_path / 'x') == read_folder(tmp_path / 'joint')


class _Kill(BaseException):
    pass


@pytest.mark.parametrize(('last', 'step'), [(ALL, 1), (ALL[1:], 5)])
def test_killed_while_parts_are_renumbered_it_loses_nothing(
    tars, tmp_path, monkeypatch, last, step
):
    embed(_find(tars, OLD), tmp_path / 'old')
    embed(_find(tars, last), tmp_path / 'joint')
    due, replace = read_folder(tmp_path / 'joint'), os.replace
    for calls in range(0, 18, step):  # three files of three parts, twice
        out = tmp_path / f'x{calls}'
        shutil.copytree(tmp_path / 'old', out)
        (out / 'store.json').unlink()
        left = iter(range(calls))

        def kill(*paths, left=left):
            if next(left, None) is None:
                raise _Kill
            replace(*paths)

        monkeypatch.setattr(store_numbering.os, 'replace', kill)
        with pytest.raises(_Kill):
            move_parts(out, ALL)
        monkeypatch.setattr(store_numbering.os, 'replace', replace)
        assert len(find_parts(out)) == 3
        assert _count(_find(tars, last), out) == 2 * (len(last) - 4)
        assert read_folder(out) == due


def test_a_store_being_completed_is_not_read(tars, tmp_path):
    embed(_find(tars, OLD), tmp_path / 'x')

    def fail(images):
        raise _Kill

    with pytest.raises(_Kill):
        embed(_find(tars), tmp_path / 'x', fail)
    with pytest.raises(ValueError, match='no complete embedding store'):
        open_store(tmp_path / 'x')


def test_shards_that_are_not_given_are_an_error_or_removed(tars, tmp_path):
    out = tmp_path / 'x'
    embed(_find(tars), out)
    before = read_folder(out)
    with pytest.raises(
        ValueError,
        match=r'10 shards that are not among the inputs: a, c, e, f, g, and 5 '
        r'more\. .* --remove-missing',
    ):
        embed(_find(tars, OLD), out)
    assert read_folder(out) == before
    assert _count(_find(tars, OLD), out, remove_missing=True) == 0
    embed(_find(tars, OLD), tmp_path / 'joint')
    assert read_folder(out) == read_folder(tmp_path / 'joint')


# Stale parts.


def _replace_tar(tar):
    _write(tar.parent, 'd', 2, first=5)


def _complete_tar(tar):
    _write(tar.parent, 'd', 3)


def _delete_tar(tar):
    tar.unlink()


def _touch_tar(tar):
    os.utime(tar, ns=(1, 1))


@pytest.mark.parametrize(
    ('change', 'images'),
    [
        (_replace_tar, 2),
        (_complete_tar, 3),
        (_delete_tar, 0),
        (_touch_tar, 2),
    ],
)
def test_a_changed_tar_is_embedded_again(tars, tmp_path, change, images):
    shards, out = _find(tars, OLD), tmp_path / 'x'
    embed(shards, out)
    change(tars['d'])
    assert _count(shards, out) == images
    embed(shards, tmp_path / 'fresh')
    assert read_folder(out) == read_folder(tmp_path / 'fresh')
    assert _count(shards, out) == 0


def test_a_changed_file_of_a_folder_is_embedded_again(tmp_path):
    for number in range(5):
        file = tmp_path / 'files' / f'{number}.png'
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(draw(number))
    shards = find_shards([str(tmp_path / 'files')], files_per_shard=2)
    embed(shards, tmp_path / 'x')
    file.write_bytes(draw(9))
    os.utime(file, ns=(5, 5))
    assert _count(shards, tmp_path / 'x') == 1  # its run of files
    embed(shards, tmp_path / 'fresh')
    assert read_folder(tmp_path / 'x') == read_folder(tmp_path / 'fresh')


def test_a_file_added_to_a_folder_changes_its_run(tmp_path):
    for number in range(4):
        file = tmp_path / 'files' / f'{number}.png'
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(draw(number))
    folder = [str(tmp_path / 'files')]
    embed(find_shards(folder, files_per_shard=3), tmp_path / 'x')
    (tmp_path / 'files' / '4.png').write_bytes(draw(4))
    shards = find_shards(folder, files_per_shard=3)
    assert _count(shards, tmp_path / 'x') == 2
    assert len(open_store(tmp_path / 'x')) == 5


@pytest.fixture
def messages(monkeypatch):
    found = []
    monkeypatch.setattr(
        part_plan, 'print_log', lambda text, *_, **__: found.append(text)
    )
    return found


def test_content_is_compared_if_asked(tars, tmp_path, messages):
    shards, out = _find(tars, OLD), tmp_path / 'x'
    embed(shards, out)
    time = os.stat(tars['d']).st_mtime_ns
    data = bytearray(tars['d'].read_bytes())
    image = draw(215)
    assert len(image) <= 512
    data[512 : 512 + len(image)] = image
    tars['d'].write_bytes(data)
    os.utime(tars['d'], ns=(time, time))
    assert _count(shards, out) == 0
    assert _count(shards, out, check_content=True) == 2
    assert messages == ['1 finished shards are not kept: d (changed content)']
    embed(shards, tmp_path / 'fresh')
    assert read_folder(out) == read_folder(tmp_path / 'fresh')


def test_the_same_content_at_another_time_is_kept_if_compared(tmp_path):
    tar = write_tar(
        tmp_path / '0.tar', [(f'{n}.png', draw(n)) for n in (1, 2)]
    )
    shards, out = find_shards([str(tar)]), tmp_path / 'x'
    embed(shards, out)
    _touch_tar(tar)
    assert _count(shards, out, check_content=True) == 0
    embed(shards, tmp_path / 'fresh')
    assert read_folder(out) == read_folder(tmp_path / 'fresh')


def test_parts_of_earlier_versions_are_kept_and_named(
    tars, tmp_path, messages
):
    shards, out = _find(tars, OLD), tmp_path / 'x'
    embed(shards, out)
    settings = json.loads((out / 'settings.json').read_text())
    settings |= {'shards': 3, 'shard_names': 'x'}
    (out / 'settings.json').write_text(json.dumps(settings))
    header = json.loads((out / 'store.json').read_text())
    del header['records']
    (out / 'store.json').write_text(json.dumps(header | {'format': 1}))
    for number, file in enumerate(sorted(out.glob('parts/*.json'))):
        record = json.loads(file.read_text())
        for name in ('table_sha256', 'binding', 'store', 'source'):
            del record[name]
        file.write_text(json.dumps(record | {'number': number}))
    _complete_tar(tars['d'])
    assert _count(_find(tars, ALL), out) == 2 * 9
    assert len(messages) == 1
    assert messages[0].startswith('3 shards were embedded by an earlier')
    assert _count(_find(tars, ALL), out, check_content=True) == 3


def _edit_record(out):
    file = out / 'parts' / 'part_1.json'
    file.write_text(
        file.read_text().replace('"bad": [', '"bad": [["x", "y"],')
    )


def _delete_matrix(out):
    (out / 'img_emb' / 'img_emb_1.npy').unlink()


def _add_part_of_other_settings(out):
    (out / 'store.json').unlink()
    file = out / 'parts' / 'part_1.json'
    record = json.loads(file.read_text())
    file.write_text(json.dumps(record | {'store': '1' * 64}))


@pytest.mark.parametrize(
    'tamper', [_edit_record, _delete_matrix, _add_part_of_other_settings]
)
def test_parts_of_other_stores_are_made_again(tars, tmp_path, tamper):
    shards, out = _find(tars, OLD), tmp_path / 'x'
    embed(shards, out)
    due = read_folder(out)
    tamper(out)
    assert _count(shards, out) == 2
    assert read_folder(out) == due


def test_two_records_of_one_shard_are_named(tars, tmp_path):
    shards, out = _find(tars, OLD), tmp_path / 'x'
    embed(shards, out)
    shutil.copy(out / 'parts/part_1.json', out / 'parts/part_7.json')
    with pytest.raises(
        ValueError, match=r"part_1\.json and .*part_7\.json .* shard 'd'"
    ):
        embed(shards, out)


def test_row_order_follows_the_names_of_shards(tars, tmp_path):
    embed(_find(tars, OLD), tmp_path / 'x')
    store = embed(_find(tars), tmp_path / 'x')
    keys = store.read_metadata(np.arange(len(store)))['image_path']
    assert keys == sorted(keys)
