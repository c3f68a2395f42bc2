import numpy as np
import pytest

from ltvl_mm.evaluation import ShotAccuracy
from ltvl_mm.registry import DATASETS
from ltvl_mm.structures.class_counts import (
    find_shot_accuracy,
    group_classes,
    load_class_counts,
)


def test_the_three_sources_say_the_same(tmp_path):
    (tmp_path / 'list.txt').write_text('a 0\nb 2\nc 0\n')
    (tmp_path / 'counts.json').write_text('[2, 0, 1, 0]')
    for source in (
        tmp_path / 'list.txt',
        str(tmp_path / 'counts.json'),
        [2, 0, 1, 0],
    ):
        assert load_class_counts(source, 4).tolist() == [2, 0, 1, 0]


def test_a_folder_of_class_folders_is_counted_as_it_is_read(tmp_path):
    for name, images in (('b', 3), ('a', 1), ('c', 2)):
        (tmp_path / name).mkdir()
        for number in range(images):
            (tmp_path / name / f'{number}.jpg').touch()
    (tmp_path / 'a/notes.md').touch()
    (tmp_path / '.ipynb_checkpoints').mkdir()
    (tmp_path / 'names.txt').touch()
    assert load_class_counts(tmp_path, 3).tolist() == [1, 3, 2]
    with pytest.raises(ValueError, match=r'has 3 class folders \(a, b, c'):
        load_class_counts(str(tmp_path), 4)


def test_a_data_set_without_lists_has_groups(tmp_path):
    """Official train/test folders: no list anywhere."""
    for split, images in (('train', (25, 2)), ('test', (1, 1))):
        for name, number in zip(('cat', 'dog'), images, strict=True):
            folder = tmp_path / split / name
            folder.mkdir(parents=True)
            for index in range(number):
                (folder / f'{index}.jpg').touch()
    data = DATASETS.build(
        dict(
            type='mmpretrain.CustomDataset',
            data_root=str(tmp_path),
            data_prefix='train',
            pipeline=[],
        )
    )
    assert tuple(data.CLASSES) == ('cat', 'dog')
    metric = ShotAccuracy(str(tmp_path / 'train'), 2)
    assert metric.groups.tolist() == ['medium', 'few']
    counts = np.bincount(data.get_gt_labels())
    assert metric.class_counts.tolist() == counts.tolist()


@pytest.mark.parametrize(
    'counts', [[1, 2], [1, 2, 3, 4], [1, -1, 2], [1.0, 2.0, 3.0], [[1, 2, 3]]]
)
def test_counts_are_one_whole_number_per_class(counts):
    with pytest.raises(
        ValueError, match='class counts must be 3 whole numbers >= 0'
    ):
        load_class_counts(counts, 3)


def test_a_label_beyond_the_classes_is_refused(tmp_path):
    (tmp_path / 'list.txt').write_text('a 0\nb 3\n')
    with pytest.raises(ValueError, match='line 2: label 3 lies outside'):
        load_class_counts(tmp_path / 'list.txt', 3)


@pytest.fixture
def find_warnings(monkeypatch):
    """Function that returns what load_class_counts logs."""
    said = []
    monkeypatch.setattr(
        'mmengine.logging.print_log', lambda text, *_, **__: said.append(text)
    )

    def run(source, num_classes, **options):
        said.clear()
        assert len(load_class_counts(source, num_classes, **options)) > 0
        return list(said)

    return run


def test_a_list_of_another_data_set_is_warned_about(find_warnings, tmp_path):
    file = tmp_path / 'train.txt'
    file.write_text('a 0\nb 1\nc 2\n')
    (warning,) = find_warnings(file, 6)
    assert warning == (
        f'3 of 6 classes have no training image in {file}: all its labels '
        f'are below 3, so it is probably the list of another data set, with '
        f'3 classes instead of 6; give the training list of the data set '
        f'with 6 classes'
    )
    assert find_warnings(file, 3) == []


def test_classes_without_images_are_listed(find_warnings, tmp_path):
    file = tmp_path / 'train.txt'
    file.write_text('a 1\nb 7\n')
    (warning,) = find_warnings(file, 8)
    assert warning == (
        f'6 of 8 classes have no training image in {file}: 0, 2, 3, 4, 5, '
        f'...; check that it is the training list of this data set'
    )
    (warning,) = find_warnings([3, 1, 0], 3, images='test')
    assert warning.startswith(
        '1 of 3 classes have no test image in the class counts: 2; check'
    )
    assert find_warnings([3, 1, 1], 3) == []


def test_the_counts_are_found_in_one_or_several_evaluators():
    shots = dict(type='ltvl_mm.ShotAccuracy', class_counts=[1, 2])
    assert find_shot_accuracy(shots) == shots
    assert find_shot_accuracy([dict(type='Accuracy'), shots]) == shots
    for other in (None, [], dict(type='Accuracy')):
        with pytest.raises(ValueError, match='an evaluator with class_counts'):
            find_shot_accuracy(other)


def test_the_borders_of_the_groups_are_medium():
    groups = group_classes(np.array([0, 19, 20, 100, 101, 1280]))
    assert groups.tolist() == ['few'] * 2 + ['medium'] * 2 + ['many'] * 2


def test_ties_are_medium_or_as_in_the_code_of_oltr():
    counts = np.array([19, 20, 21, 99, 100, 101])
    assert group_classes(counts).tolist() == ['few', *['medium'] * 4, 'many']
    assert group_classes(counts, ties='outer').tolist() == [
        *['few'] * 2,
        *['medium'] * 2,
        *['many'] * 2,
    ]
    with pytest.raises(ValueError, match="'medium' or 'outer', got 'few'"):
        group_classes(counts, ties='few')
