from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from ltvl_mm.datasets.long_tail_files import (
    cut_long_tail,
    read_labeled_images,
    write_cifar,
)
from ltvl_mm.datasets.long_tail_profile import exponential_profile
from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.structures.image_list import ImageList, read_image_list
from ltvl_mm.utils.io import read_json

IMAGES = ImageList(
    tuple(f'{row:03d}.jpg' for row in range(90)),
    # 20, 40 and 30 images.
    np.repeat([0, 1, 2], [20, 40, 30]),
)


def count(images):
    return np.bincount(images.labels, minlength=3).tolist()


def test_the_class_with_most_images_heads_the_tail():
    lists = cut_long_tail(
        IMAGES,
        exponential_profile(3, 4),
        seed=0,
        val_per_class=2,
        test_per_class=3,
    )
    # 15, 35 and 25 are left: 35 x 1, x 1/2, x 1/4.
    assert count(lists['train']) == [8, 35, 17]
    assert count(lists['val']) == [2, 2, 2]
    assert count(lists['test']) == [3, 3, 3]
    paths = [path for part in lists.values() for path in part.paths]
    assert len(paths) == len(set(paths))


def test_a_rarer_tail_keeps_val_and_test():
    draws = [
        cut_long_tail(
            IMAGES,
            exponential_profile(3, ratio),
            seed=0,
            val_per_class=2,
            test_per_class=3,
        )
        for ratio in (2, 10)
    ]
    for split in ('val', 'test'):
        assert draws[0][split].paths == draws[1][split].paths
    assert count(draws[0]['train']) != count(draws[1]['train'])


def test_what_is_long_tailed_already_is_kept():
    lists = cut_long_tail(
        IMAGES, None, seed=0, val_per_class=1, test_per_class=2
    )
    assert count(lists['train']) == [17, 37, 27]
    assert count(lists['val']) == [1, 1, 1]
    assert count(lists['test']) == [2, 2, 2]
    paths = [path for part in lists.values() for path in part.paths]
    assert sorted(paths) == list(IMAGES.paths)
    with pytest.raises(ValueError, match='leave class 0 no training image'):
        cut_long_tail(IMAGES, None, seed=0, test_per_class=20)


def test_too_much_for_a_class_is_refused():
    with pytest.raises(ValueError, match='class 0 has 20 images, 21'):
        cut_long_tail(
            IMAGES, exponential_profile(3, 2), seed=0, val_per_class=21
        )
    with pytest.raises(ValueError, match='val per class must be >= 0, got -1'):
        cut_long_tail(
            IMAGES, exponential_profile(3, 2), seed=0, val_per_class=-1
        )


def test_a_folder_per_class_is_a_source(tmp_path):
    for name in ('cat/deep/1.jpg', 'cat/2.png', 'a dog/1.jpg'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (2, 2)).save(tmp_path / name)
    images, names = read_labeled_images(tmp_path)
    assert names == ('a dog', 'cat')
    assert dict(zip(images.paths, images.labels.tolist(), strict=True)) == {
        'a dog/1.jpg': 0,
        'cat/2.png': 1,
        'cat/deep/1.jpg': 1,
    }


def test_a_list_needs_names_and_as_many_as_labels(tmp_path):
    source, names = tmp_path / 'all.txt', tmp_path / 'names.txt'
    source.write_text('a.jpg 0\nb.jpg 2\n')
    names.write_text('cat\ndog\nowl\n')
    with pytest.raises(ValueError, match='needs a file of class names'):
        read_labeled_images(source)
    with pytest.raises(ValueError, match='no image with label 1'):
        read_labeled_images(source, names)
    names.write_text('cat\ndog\n')
    source.write_text('a.jpg 0\nb.jpg 1\nc.jpg 2\n')
    with pytest.raises(ValueError, match='labels up to 2, expected 0 to 1'):
        read_labeled_images(source, names)


def make_cifar(per_class, seed):
    rng = np.random.default_rng(seed)
    targets = rng.permutation(np.repeat(np.arange(10), per_class)).tolist()
    return SimpleNamespace(
        data=rng.integers(0, 256, (len(targets), 4, 4, 3), dtype=np.uint8),
        targets=targets,
        classes=[f'class_{number}' for number in range(10)],
    )


def test_cifar_is_written_as_images_and_lists(tmp_path):
    train, test = make_cifar(20, 0), make_cifar(3, 1)
    write_cifar(tmp_path, train, test, ratio=10, seed=0)
    images = read_image_list(tmp_path / 'CIFAR10_LT_train.txt')
    counts = np.bincount(images.labels).tolist()
    assert counts[0] == 20
    assert counts[-1] == 2
    assert counts == read_json(tmp_path / 'class_counts.json')
    assert load_class_names(tmp_path / 'class_names.txt')[1] == 'class 1'
    assert len(read_image_list(tmp_path / 'CIFAR10_LT_test.txt')) == 30
    for path, label in zip(images.paths, images.labels, strict=True):
        row = int(path[-9:-4])
        assert train.targets[row] == label
        with Image.open(tmp_path / path) as image:
            assert np.array_equal(np.array(image), train.data[row])
    # A second run finds all done; another ratio is another folder.
    before = (tmp_path / path).stat().st_mtime_ns
    write_cifar(tmp_path, train, test, ratio=10, seed=0)
    assert (tmp_path / path).stat().st_mtime_ns == before
    with pytest.raises(ValueError, match='begun with another ratio'):
        write_cifar(tmp_path, train, test, ratio=50, seed=0)


def test_validation_images_of_cifar_are_no_training_images(tmp_path):
    lists = write_cifar(
        tmp_path,
        make_cifar(20, 0),
        make_cifar(1, 1),
        ratio=2,
        seed=0,
        val_per_class=5,
    )
    assert np.bincount(lists['val'].labels).tolist() == [5] * 10
    assert np.bincount(lists['train'].labels).max() == 15
    assert not set(lists['val'].paths) & set(lists['train'].paths)
    assert (tmp_path / 'CIFAR10_LT_val.txt').exists()
