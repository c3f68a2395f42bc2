"""Several stores, searched as one."""

from dataclasses import replace

import numpy as np
import pytest
from web_memory import ENCODER, draw, embed, read_folder, write_tar

from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.task import RetrievalOptions, RetrievalTask
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.store_join import check_encoders, join_stores

QUERIES = ClassQueries(
    ('red', 'green', 'blue'), ('{}',), np.eye(3, 4, dtype='f4'), ENCODER
)


@pytest.fixture
def tars(tmp_path):
    return {
        name: write_tar(
            tmp_path / folder / f'{name[-1]}.tar',
            [(f'{n}.png', draw(37 * turn + 5 * n)) for n in range(4)],
        )
        for turn, (folder, name) in enumerate(
            [('x', 'a'), ('x', 'c'), ('y', 'b'), ('y', 'd'), ('y', 'y/c')]
        )
    }


def _embed(tars, names, out):
    return embed(find_shards([str(tars[name]) for name in names]), out)


@pytest.fixture
def run(tmp_path):
    def run(store, excluded, out):
        task = RetrievalTask(
            store,
            QUERIES,
            np.array([3, 3, 3]),
            excluded,
            RetrievalOptions(temperature=0.05),
        )
        run_retrieval(task, tmp_path / out)
        return read_folder(tmp_path / out)

    return run


def test_two_stores_give_the_bytes_of_one_joint_store(tars, run, tmp_path):
    one = _embed(tars, ['a', 'c'], tmp_path / 'one')
    two = _embed(tars, ['b', 'd'], tmp_path / 'two')
    joint = _embed(tars, ['a', 'b', 'c', 'd'], tmp_path / 'joint')
    due = run(joint, [], 'due')
    assert join_stores([one, two]).fingerprint == joint.fingerprint
    for number, stores in enumerate([(one, two), (two, one)]):
        assert run(join_stores(stores), [], f'{number}') == due
    reports = []
    for number, stores in enumerate([[joint], [one, two], [two, one]]):
        # All images are near-duplicates of excluded ones.
        with pytest.raises(ValueError, match='no images were retrieved'):
            run(two, stores, f'excluded-{number}')
        reports.append(
            (tmp_path / f'excluded-{number}/report.json').read_bytes()
        )
    assert reports[0] == reports[1] == reports[2]


def test_equal_names_are_told_apart_as_in_a_joint_store(tars, run, tmp_path):
    # Tars x/c.tar and y/c.tar; stores x and y.
    one = _embed(tars, ['a', 'c'], tmp_path / 'stores' / 'x')
    two = _embed(tars, ['b', 'y/c'], tmp_path / 'stores' / 'y')
    joint = _embed(tars, ['a', 'b', 'c', 'y/c'], tmp_path / 'joint')
    both = join_stores([one, two])
    keys = [
        store.read_metadata(np.arange(len(store)))['image_path']
        for store in (both, joint)
    ]
    assert keys[0] == keys[1]
    assert keys[0][-1] == 'y/c/3'
    assert both.find_rows(['y/c/3', 'x/c/0', 'c/0']).tolist() == [15, 8, -1]
    assert both.fingerprint == joint.fingerprint
    assert run(both, [], 'both') == run(joint, [], 'due')


def test_stores_of_other_encoders_and_widths_are_named(tars, tmp_path):
    one = _embed(tars, ['a'], tmp_path / 'one')
    two = _embed(tars, ['b'], tmp_path / 'two')
    other = replace(two, encoder=ENCODER | {'weights': 'x'})
    with pytest.raises(
        ValueError,
        match=r'/one and .*/two come from different encoders: weights is '
        r"'none' and 'x'",
    ):
        join_stores([one, other])
    with pytest.raises(ValueError, match='different widths: 4 and 5'):
        check_encoders([one, replace(two, dim=5)])


def test_a_store_given_twice_is_refused(tars, tmp_path):
    one = _embed(tars, ['a'], tmp_path / 'one')
    with pytest.raises(ValueError, match='one is given twice'):
        join_stores([one, one])


def test_equal_shards_in_folders_of_one_name_are_refused(tars, tmp_path):
    one = _embed(tars, ['c'], tmp_path / '1' / 'store')
    two = _embed(tars, ['y/c'], tmp_path / '2' / 'store')
    with pytest.raises(ValueError, match=r"'store/c'.* rename the folder"):
        join_stores([one, two])


def test_one_store_stays_what_it_is(tars, tmp_path):
    one = _embed(tars, ['a'], tmp_path / 'one')
    assert join_stores([one]) is one
