"""Retrievals that were broken off, and plans of what is left."""

import os
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from color_world import OPTIONS, QUERIES, WEB
from web_memory import read_folder

from ltvl_mm.retrieval import choice, image_copies, retrieved_folder
from ltvl_mm.retrieval import run_retrieval as retrieval_module
from ltvl_mm.retrieval.metadata_filter import MetadataRule
from ltvl_mm.retrieval.plan import plan_retrieval
from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.search.selection import Selection
from ltvl_mm.retrieval.task import RetrievalTask


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


@pytest.mark.parametrize('candidates', [1, 7])
def test_blocks_of_classes_change_no_byte(
    run, tmp_path, candidates, monkeypatch
):
    run([3, 2, 1], 'whole')
    monkeypatch.setattr(choice, '_CANDIDATES', candidates)
    run([3, 2, 1])
    assert read_folder(tmp_path / 'out') == read_folder(tmp_path / 'whole')


@pytest.mark.parametrize('copy', ['folder', 'tar', 'none'])
def test_row_groups_hold_the_rows_of_one_table(
    run, tmp_path, copy, monkeypatch
):
    options = replace(OPTIONS, copy=copy)
    run([3, 2, 1], 'whole', options=options)
    monkeypatch.setattr(image_copies, '_IMAGES', 4)
    monkeypatch.setattr(retrieved_folder, '_NAMES', 1)
    monkeypatch.setattr(retrieved_folder, 'ROW_GROUP', 2)
    run([3, 2, 1], options=options)
    first, second = (read_folder(tmp_path / name) for name in ('whole', 'out'))
    assert first.keys() == second.keys()
    for name in first:
        if name.endswith('.parquet'):
            file = pq.ParquetFile(tmp_path / 'out' / name)
            assert file.num_row_groups == 3
            assert file.read() == pq.read_table(tmp_path / 'whole' / name)
        else:
            assert first[name] == second[name]


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
    options = replace(
        OPTIONS,
        metadata_filter=MetadataRule(max_aspect=9),
        oversample_factor=2,
    )
    task = RetrievalTask(
        store, QUERIES, np.array([3, 20, 0]), (), options, unit_rows=3
    )
    plan = plan_retrieval(task, tmp_path / 'out', ranks=2)
    assert not (tmp_path / 'out').exists()
    assert (plan.rows, plan.images, plan.candidates) == (10, 23, 6 + 10)
    assert (plan.units, plan.done, plan.kept) == (4, 0, 1)
    assert plan.bytes_left == 10 * 4 * 2
    assert plan.seconds == pytest.approx(10 / plan.rate / 2)
    assert '4, of which 0 are done' in plan.describe()
    note = 'from 16 candidates; the store has only 10: '
    assert (
        f'{note}images will repeat under several classes; --assign argmax '
        in plan.describe()
    )
    assert f'{note}classes will be short' in (
        replace(plan, repeats=False).describe()
    )
    assert 'has only' not in replace(plan, images=10).describe()
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


def test_a_folder_of_another_budget_is_refused(run):
    run([3, 2, 1])
    with pytest.raises(ValueError, match='begun with another budget'):
        run([3, 2, 2])


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
