import numpy as np
import pytest

from ltvl_mm.structures.features import Features, load_features, save_features


def make(**changes):
    parts = dict(
        features=np.ones((2, 3), np.float32),
        labels=np.array([0, 1]),
        paths=('a', 'b'),
    )
    return Features(**parts | changes)


def test_what_is_saved_is_loaded(tmp_path):
    save_features(tmp_path / 'f.npz', make())
    found = load_features(tmp_path / 'f.npz')
    assert found.features.tolist() == make().features.tolist()
    assert found.labels.tolist() == [0, 1]
    assert found.paths == ('a', 'b')
    assert found.classifier == ''
    save_features(tmp_path / 'f.npz', make(classifier='head.fc'))
    found = load_features(tmp_path / 'f.npz')
    assert found.pick(np.array([1])).classifier == 'head.fc'


def test_a_file_that_does_not_name_the_classifier_is_read(tmp_path):
    parts = dict(features=np.ones((1, 3)), labels=[0], paths=['a'])
    np.savez(tmp_path / 'f.npz', **parts)
    assert load_features(tmp_path / 'f.npz').classifier == ''


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(labels=np.array([0])), r'are not \(N, F\)'),
        (dict(features=np.ones(2)), r'are not \(N, F\)'),
        (
            dict(features=np.array([[1.0], [np.nan]])),
            'features of b are not finite',
        ),
    ],
)
def test_other_shapes_and_values_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        make(**changes)


def test_other_files_are_named(tmp_path):
    with pytest.raises(ValueError, match=r'gone\.npz does not exist; write'):
        load_features(tmp_path / 'gone.npz')
    (tmp_path / 'text.npz').write_text('no')
    with pytest.raises(ValueError, match=r'text\.npz does not hold features,'):
        load_features(tmp_path / 'text.npz')
    np.savez(tmp_path / 'other.npz', a=1)
    with pytest.raises(
        ValueError, match=r'other\.npz does not hold features,'
    ):
        load_features(tmp_path / 'other.npz')


@pytest.mark.parametrize(
    ('name', 'values', 'message'),
    [
        ('features', np.ones((2, 3), int), 'decimal values, got int64'),
        ('features', 1.0, r'features must be an array of 2 .* shape \(\)'),
        ('labels', ['a', 'b'], 'labels must be .* whole values'),
        ('paths', [[1], [2]], 'paths must be .* text values'),
        ('classifier', ['a', 'b'], 'classifier must be an array of 0'),
        ('tau', 'x', 'tau must be .* decimal or whole values, got <U1'),
    ],
)
def test_arrays_of_other_types_are_refused(tmp_path, name, values, message):
    file = tmp_path / 'f.npz'
    save_features(file, make())
    with np.load(file) as arrays:
        np.savez(file, **dict(arrays) | {name: values})
    with pytest.raises(ValueError, match=f'f.npz holds no feat.*{message}'):
        load_features(file)
