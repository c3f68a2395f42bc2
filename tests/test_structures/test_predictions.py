import numpy as np
import pytest

from ltvl_mm.structures.predictions import (
    Predictions,
    check_same_images,
    load_predictions,
    save_predictions,
    sort_predictions,
)

HALVES = np.array([[0.5, 0.5, 0], [1, 0, 0]], np.float32)


def make(
    paths=('a', 'b'), labels=(2, 0), probabilities=HALVES, class_names=None
):
    return Predictions(
        probabilities=probabilities,
        labels=np.array(labels),
        paths=tuple(paths),
        class_names=class_names,
    )


def test_saved_predictions_come_back_sorted_by_path(tmp_path):
    rows = sort_predictions(HALVES[::-1], np.array([0, 2]), ['ü/b', 'a b'])
    assert rows.paths == ('a b', 'ü/b')
    save_predictions(tmp_path / 'x.npz', rows)
    read = load_predictions(tmp_path / 'x.npz')
    assert read.paths == rows.paths
    np.testing.assert_array_equal(read.probabilities, HALVES)
    np.testing.assert_array_equal(read.labels, [2, 0])
    assert len(read) == 2
    assert read.class_names is None


def test_class_names_travel_with_predictions(tmp_path):
    names = ['cat', 'a <b>', 'owl']
    rows = sort_predictions(HALVES, np.array([0, 2]), ['a', 'b'], names)
    save_predictions(tmp_path / 'x.npz', rows)
    assert load_predictions(tmp_path / 'x.npz').class_names == tuple(names)


def test_the_logarithm_of_a_zero_is_finite_and_the_lowest():
    logs = make().log_probabilities()
    np.testing.assert_allclose(logs[0, :2], np.log(0.5))
    assert logs[0, 2] == -104
    assert np.log(np.float64(np.float32(1e-45))) > -104


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(labels=(2,)), r'not \(N, K\)'),
        (dict(labels=(0.0, 1.0)), r'whole labels, got .* float64 \(2,\)'),
        (dict(labels=((0,), (1,))), r'int64 \(2, 1\)'),
        (dict(labels=0), r'int64 \(\)'),
        (dict(probabilities=np.float32(1)), r'labels, got \(\) and'),
        (dict(paths=('a',)), r'not \(N, K\)'),
        (dict(class_names=('a', 'b')), '2 class names for scores over 3'),
        (dict(paths=(), labels=(), probabilities=HALVES[:0]), 'there are no'),
        (dict(labels=(2, 3)), 'label 3 of b lies outside'),
        (dict(paths=('b', 'a')), 'a follows b'),
        (dict(paths=('a', 'a')), 'a follows a'),
        (dict(probabilities=HALVES * 2), 'scores of a are not probabilities'),
        (dict(probabilities=HALVES * np.nan), 'scores of a are not prob'),
    ],
)
def test_what_are_no_predictions_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        make(**change)


def test_images_of_no_class_are_asked_for_or_refused(tmp_path):
    save_predictions(tmp_path / 'known.npz', make())
    save_predictions(tmp_path / 'unknown.npz', make(labels=(-1, -1)))
    read = load_predictions(tmp_path / 'unknown.npz', unknown=True)
    assert read.labels.tolist() == [-1, -1]
    with pytest.raises(ValueError, match='of a is -1, expected a class'):
        load_predictions(tmp_path / 'unknown.npz')
    with pytest.raises(ValueError, match='of a is 2, expected -1, of no cl'):
        load_predictions(tmp_path / 'known.npz', unknown=True)
    with pytest.raises(ValueError, match='label -2 of b lies outside'):
        make(labels=(-1, -2))


def test_a_missing_or_foreign_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r'x\.npz does not exist'):
        load_predictions(tmp_path / 'x.npz')
    (tmp_path / 'y.npz').write_bytes(b'PK\3\4 cut')
    np.savez(tmp_path / 'z.npz', labels=np.arange(2))
    objects = np.array([{}], object)
    np.savez(tmp_path / 'pickle.npz', probabilities=objects)
    for name in ('y.npz', 'z.npz', 'pickle.npz'):
        with pytest.raises(ValueError, match=f'{name} does not hold prob'):
            load_predictions(tmp_path / name)


@pytest.mark.parametrize(
    ('name', 'values', 'message'),
    [
        ('probabilities', [['a', 'b']], 'probabilities must be an array of 2'),
        ('probabilities', np.ones((2, 1), int), 'decimal values, got int64'),
        ('labels', [0.0, 1.0], 'labels must .* whole values, got float64'),
        ('paths', [0, 1], 'paths must be .* text values, got int64'),
        ('paths', 'ab', r'paths must be an array of 1 .* shape \(\)'),
        ('class_names', [[1, 2, 3]], 'class_names must be'),
    ],
)
def test_arrays_of_other_types_are_refused(tmp_path, name, values, message):
    file = tmp_path / 'x.npz'
    save_predictions(file, make())
    with np.load(file) as arrays:
        np.savez(file, **dict(arrays) | {name: values})
    with pytest.raises(ValueError, match=f'x.npz holds no pred.*{message}'):
        load_predictions(file)


def test_unsigned_labels_are_read_as_int64(tmp_path):
    save_predictions(tmp_path / 'x.npz', make())
    with np.load(tmp_path / 'x.npz') as arrays:
        labels = arrays['labels'].astype(np.uint64)
        np.savez(tmp_path / 'x.npz', **dict(arrays) | {'labels': labels})
    assert load_predictions(tmp_path / 'x.npz').labels.dtype == np.int64


def test_predictions_of_other_images_do_not_mix():
    check_same_images([make(), make()], ['x', 'y'])
    with pytest.raises(ValueError, match=r"row 1 is \('c', 0\) and \('b', 0"):
        check_same_images([make(), make(paths=('a', 'c'))], ['x', 'y'])
    with pytest.raises(ValueError, match='different images'):
        check_same_images([make(), make(labels=(2, 1))], ['x', 'y'])
    one = make(('a',), (2,), HALVES[:1])
    with pytest.raises(ValueError, match=r'y holds \(1, 3\) scores'):
        check_same_images([make(), one], ['x', 'y'])
