import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from mmengine.registry import DATASETS
from PIL import Image, UnidentifiedImageError

from ltvl_mm.datasets.toy_drawing import CLASS_NAMES, draw_image
from ltvl_mm.datasets.toy_world_files import write_toy_world
from ltvl_mm.datasets.toy_world_spec import ToyWorldSize, count_training_images
from ltvl_mm.datasets.web_tars import read_web_truth

SIZE = ToyWorldSize(
    train_most=3,
    train_fewest=1,
    val_per_class=1,
    test_per_class=1,
    corpus=20,
    web=400,
    web_per_tar=150,
)


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp('world')
    write_toy_world(root, SIZE, workers=2)
    return root


def hash_files(root):
    return {
        path.relative_to(root): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in Path(root).rglob('*')
        if path.is_file()
    }


def read_tars(root):
    """Return key -> {suffix: bytes} of all tars."""
    members = {}
    for path in sorted(Path(root, 'web').iterdir()):
        with tarfile.open(path) as tar:
            for entry in tar:
                key, suffix = entry.name.split('.')
                found = members.setdefault(f'{path.stem}/{key}', {})
                found[suffix] = tar.extractfile(entry).read()
    return members


def test_a_killed_run_is_finished_to_the_same_bytes(world, tmp_path):
    write_toy_world(tmp_path, SIZE, workers=1)
    whole = hash_files(world)
    assert hash_files(tmp_path) == whole
    # As a kill leaves it: parts missing, and one half written.
    for file in ('train.txt', 'web/00001.tar', 'web_truth.csv'):
        (tmp_path / file).unlink()
    half = tmp_path / 'web' / '.00001.tar.x.tmp'
    half.write_bytes(b'half')
    os.utime(half, (0, 0))  # no writer in its name: its age counts
    write_toy_world(tmp_path, SIZE, workers=1)
    assert hash_files(tmp_path) == whole


def test_a_folder_of_another_world_is_refused(world):
    other = ToyWorldSize(seed=1)
    with pytest.raises(ValueError, match='holds the toy world of other sett'):
        write_toy_world(world, other)


def test_the_train_list_is_long_tailed_and_the_others_are_balanced(world):
    counts = {}
    for split in ('train', 'val', 'test'):
        dataset = DATASETS.build(
            dict(
                type='ltvl_mm.ToyWorld',
                data_root=str(world),
                split=split,
                pipeline=[dict(type='LoadImageFromFile')],
            )
        )
        assert dataset.CLASSES == CLASS_NAMES
        assert dataset[0]['img'].shape == (32, 32, 3)
        counts[split] = np.bincount(dataset.get_gt_labels())
    assert (counts['val'] == 1).all()
    assert (counts['test'] == 1).all()
    assert counts['train'].tolist() == count_training_images(SIZE).tolist()
    assert (counts['train'].min(), counts['train'].max()) == (1, 3)


def test_the_open_set_is_of_no_class(world):
    dataset = DATASETS.build(
        dict(type='ltvl_mm.ToyWorld', data_root=str(world), split='open')
    )
    assert len(dataset) == 32  # a third of the test images
    assert set(dataset.get_gt_labels()) == {-1}


def test_training_counts_decay_exponentially_in_a_shuffled_order():
    counts = count_training_images(ToyWorldSize())
    ranked = np.sort(counts)[::-1]
    assert (ranked[0], ranked[-1], len(ranked)) == (200, 3, 96)
    middle = np.sqrt(200 * 3)  # of an exponential
    assert abs(ranked[47] - middle) < 2
    assert not np.array_equal(counts, ranked)


def test_splits_share_no_image(world):
    hashes = [
        hashlib.sha256(path.read_bytes()).digest()
        for path in world.rglob('*.jpg')
    ]
    assert len(hashes) == len(set(hashes)) > 96 * 3


def test_the_corpus_pairs_images_with_captions(world):
    corpus = json.loads((world / 'corpus.json').read_text())['data_list']
    assert len(corpus) == 20
    for pair in corpus:
        assert (world / 'images' / 'corpus' / pair['img_path']).is_file()
        assert pair['caption'].strip()


def test_web_tars_are_as_img2dataset_writes_them(world):
    members = read_tars(world)
    assert len(members) == 400
    assert list(members)[150] == '00001/000010000'
    for key, found in members.items():
        assert set(found) == {'jpg', 'txt', 'json'}
        record = json.loads(found['json'])
        assert record['key'] == key.split('/')[1]
        assert record['caption'] == found['txt'].decode()


def test_what_is_planted_is_what_the_truth_says(world):
    members, truth = read_tars(world), read_web_truth(world)
    assert set(truth) == set(members)
    plants = {}
    for key, row in truth.items():
        plants.setdefault(row['plant'], []).append(key)
    assert set(plants) == {'', 'duplicate', 'test_copy', 'undecodable'}
    for key in plants['']:
        assert _decode(members[key]['jpg']).shape == (32, 32, 3)
    for key in plants['duplicate']:
        source = truth[key]['source']
        assert members[key]['jpg'] == members[source]['jpg']
        assert truth[source]['plant'] == ''
    for key in plants['undecodable']:
        # Also what is cut short: Pillow says so only when it reads pixels.
        with pytest.raises((UnidentifiedImageError, OSError)):
            _decode(members[key]['jpg'])
    for key in plants['test_copy']:
        copy = _decode(members[key]['jpg']).astype(float)
        label, number = map(int, truth[key]['source'].split('/'))
        folder = CLASS_NAMES[label].replace(' ', '_')
        file = world / 'images' / 'test' / folder / f'{number:04d}.jpg'
        original = _decode(file.read_bytes()).astype(float)
        correlation = np.corrcoef(copy.ravel(), original.ravel())[0, 1]
        assert 0.9 < correlation < 1


def _decode(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert('RGB'))


def test_every_class_is_drawn_with_its_colour_and_shape():
    looks = set()
    for name in CLASS_NAMES:
        image = draw_image(name, np.random.default_rng(0), web_look=False)
        assert (image.size, image.mode) == ((32, 32), 'RGB')
        looks.add(image.tobytes())
    assert len(looks) == 96
    with pytest.raises(ValueError, match="this world, got 'red dog'"):
        draw_image('red dog', np.random.default_rng(0), web_look=False)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(val_per_class=0), 'val_per_class is too small: 0'),
        (dict(seed=-1), 'seed is too small: -1'),
        (dict(train_most=2), 'train_fewest 3 is more than train_most 2'),
    ],
)
def test_a_world_of_impossible_size_is_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        ToyWorldSize(**options)


def test_a_missing_world_or_split_is_an_error(world, tmp_path):
    build = DATASETS.build
    with pytest.raises(ValueError, match=r"one of .* got 'dev'"):
        build(dict(type='ltvl_mm.ToyWorld', data_root=str(world), split='dev'))
    with pytest.raises(ValueError, match=r'there is no toy world in .*make'):
        build(
            dict(type='ltvl_mm.ToyWorld', data_root=str(tmp_path), split='val')
        )
