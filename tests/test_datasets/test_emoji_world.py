import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from mmengine.registry import DATASETS
from PIL import Image, UnidentifiedImageError

from ltvl_mm.datasets import emoji_glyphs
from ltvl_mm.datasets.emoji_concepts import (
    ATTRIBUTION,
    CLASS_GLYPHS,
    CLASS_NAMES,
    MAX_GLYPHS,
    OTHER_GLYPHS,
)
from ltvl_mm.datasets.emoji_drawing import STYLES, draw_image
from ltvl_mm.datasets.emoji_web import plan_web
from ltvl_mm.datasets.emoji_world_files import write_emoji_world
from ltvl_mm.datasets.emoji_world_spec import (
    EmojiWorldSize,
    count_training_images,
    draw_split_image,
)
from ltvl_mm.datasets.web_tars import read_web_truth
from ltvl_mm.retrieval.reading.shards import find_shards, iterate_shard
from ltvl_mm.structures.image_list import read_image_list

SIZE = EmojiWorldSize(
    classes=6,
    train_most=4,
    train_fewest=1,
    val_per_class=1,
    test_per_class=2,
    web=100,
    web_per_tar=60,
)


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp('emoji')
    write_emoji_world(root, SIZE)
    return root


@pytest.fixture(scope='module')
def web(world):
    """Return key -> image of all tars, read as retrieval reads them."""
    shards = find_shards([str(world / 'web')])
    images = [image for shard in shards for image in iterate_shard(shard)]
    return {image.key: image for image in images}


def decode(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert('RGB'), float)


def hash_files(root):
    return {
        path.relative_to(root): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in Path(root).rglob('*')
        if path.is_file()
    }


def test_no_glyph_is_of_two_classes_or_of_a_class_and_none():
    groups = [*CLASS_GLYPHS.values(), OTHER_GLYPHS]
    code_points = [g.code_point for group in groups for g in group]
    assert len(code_points) == len(set(code_points)) > 700
    assert len(CLASS_NAMES) == 96
    sizes = [len(glyphs) for glyphs in CLASS_GLYPHS.values()]
    assert min(sizes) >= 3
    assert max(sizes) == MAX_GLYPHS


def test_all_glyphs_differ():
    groups = [*CLASS_GLYPHS.values(), OTHER_GLYPHS]
    pictures = {
        emoji_glyphs.render_glyph(g.code_point).tobytes()
        for group in groups
        for g in group
    }
    assert len(pictures) == sum(map(len, groups))


@pytest.mark.parametrize('style', STYLES)
def test_every_style_shows_the_object(style):
    bear = CLASS_GLYPHS['bear'][0].code_point
    images = [
        draw_image(points, np.random.default_rng(0), style=style)
        for points in ((bear,), (bear, bear), ())
    ]
    assert {(image.size, image.mode) for image in images} == {
        ((32, 32), 'RGB')
    }
    assert len({image.tobytes() for image in images}) == 3


def test_an_image_depends_on_seed_split_class_and_number_alone():
    def draw(split='test', label=3, number=5, seed=0):
        return draw_split_image(split, label, number, seed).tobytes()

    assert draw() == draw()
    others = [draw(split='val'), draw(label=4), draw(number=6), draw(seed=1)]
    assert len({draw(), *others}) == 5


def test_test_images_show_all_glyphs_of_a_class_alike(monkeypatch):
    shown = []
    monkeypatch.setattr(
        'ltvl_mm.datasets.emoji_world_spec.draw_image',
        lambda code_points, rng, look: shown.append(*code_points),
    )
    label = CLASS_NAMES.index('bear')
    for split in ('test', 'train'):
        for number in range(48):
            draw_split_image(split, label, number, 0)
    glyphs = {glyph.code_point for glyph in CLASS_GLYPHS['bear']}
    test, train = shown[:48], shown[48:]
    assert {test.count(point) for point in glyphs} == {48 // len(glyphs)}
    # By Zipf's law a training image shows the first glyph most often.
    counts = sorted(train.count(point) for point in glyphs)
    assert counts[-1] > 2 * counts[0]


def test_a_killed_run_is_finished_to_the_same_bytes(world, tmp_path):
    write_emoji_world(tmp_path, SIZE, workers=1)
    whole = hash_files(world)
    assert hash_files(tmp_path) == whole
    for file in ('train.txt', 'web/00001.tar', 'web_truth.csv'):
        (tmp_path / file).unlink()
    write_emoji_world(tmp_path, SIZE, workers=1)
    assert hash_files(tmp_path) == whole


def test_a_folder_of_another_world_is_refused(world):
    with pytest.raises(
        ValueError, match='holds the emoji world of other sett'
    ):
        write_emoji_world(world, EmojiWorldSize(seed=1))


def test_the_world_names_the_license_of_its_artwork(world):
    assert ATTRIBUTION in (world / 'world.json').read_text()


def test_the_splits_are_lists_of_their_classes(world):
    counts = {}
    for split in ('train', 'val', 'test', 'open'):
        dataset = DATASETS.build(
            dict(
                type='ltvl_mm.EmojiWorld',
                data_root=str(world),
                split=split,
                pipeline=[dict(type='LoadImageFromFile')],
            )
        )
        assert dataset.CLASSES == CLASS_NAMES[:6]
        assert dataset[0]['img'].shape == (32, 32, 3)
        labels = np.array(dataset.get_gt_labels())
        counts[split] = np.bincount(labels + 1, minlength=7).tolist()
    assert counts['val'] == [0, 1, 1, 1, 1, 1, 1]
    assert counts['test'] == [0, 2, 2, 2, 2, 2, 2]
    assert counts['open'] == [4, 0, 0, 0, 0, 0, 0]
    assert counts['train'][1:] == count_training_images(SIZE).tolist()
    images = read_image_list(world / 'train.txt', num_classes=6)
    assert len(images) == sum(counts['train'])


def test_training_counts_reach_from_most_to_fewest():
    counts = count_training_images(EmojiWorldSize())
    assert (counts.max(), counts.min(), len(counts)) == (130, 3, 96)
    groups = [(counts > 100).sum(), (counts < 20).sum()]
    assert min(groups) > 15  # enough many-shot and few-shot classes


def test_splits_share_no_image(world, web):
    files = [path.read_bytes() for path in (world / 'images').rglob('*.jpg')]
    truth = read_web_truth(world)
    files += [
        image.data
        for key, image in web.items()
        if truth[key]['plant'] != 'duplicate' and len(image.data) > 40
    ]
    hashes = [hashlib.sha256(data).digest() for data in files]
    assert len(hashes) == len(set(hashes)) > 100


def test_web_images_have_captions_and_no_truth(world, web):
    assert len(web) == 100
    assert list(web)[60] == '00001/000010000'
    for key, image in web.items():
        assert image.caption.strip()
        assert image.url == f'https://web.invalid/{key.split("/")[1]}.jpg'
        assert not image.known
    # The truth is in one file that no tar and no list repeats.
    assert set(read_web_truth(world)) == set(web)


def test_what_is_planted_is_what_the_truth_says(world, web):
    truth = read_web_truth(world)
    plants = {}
    for key, row in truth.items():
        plants.setdefault(row['plant'], []).append(key)
    numbers = {plant: len(keys) for plant, keys in plants.items()}
    assert numbers == {
        '': 96,
        'duplicate': 2,
        'test_copy': 1,
        'undecodable': 1,
    }
    for key in plants['']:
        assert decode(web[key].data).shape == (32, 32, 3)
    for key in plants['duplicate']:
        source = truth[key]['source']
        assert source < key
        assert web[key].data == web[source].data
        assert truth[key]['class_name'] == truth[source]['class_name']
    for key in plants['undecodable']:
        with pytest.raises((UnidentifiedImageError, OSError)):
            decode(web[key].data)
    for key in plants['test_copy']:
        label, number = map(int, truth[key]['source'].split('/'))
        name = CLASS_NAMES[label]
        assert truth[key]['class_name'] == name
        folder = world / 'images' / 'test' / name.replace(' ', '_')
        original = decode((folder / f'{number:04d}.jpg').read_bytes())
        copy = decode(web[key].data)
        assert 0.9 < np.corrcoef(copy.ravel(), original.ravel())[0, 1] < 1


def test_shares_of_planted_images_and_objects_at_full_size():
    rows = plan_web(EmojiWorldSize())
    plants = [row['plant'] for row in rows]
    assert plants.count('duplicate') == 480
    assert plants.count('test_copy') == 240
    assert plants.count('undecodable') == 240
    kinds = [row['kind'] for row in rows]
    assert 0.77 < kinds.count('class') / len(rows) < 0.8
    assert 0.04 < kinds.count('empty') / len(rows) < 0.06
    names = [row['class_name'] for row in rows if row['class_name']]
    assert min(names.count(name) for name in CLASS_NAMES) >= 140


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(val_per_class=0), 'val_per_class is too small: 0'),
        (dict(seed=-1), 'seed is too small: -1'),
        (dict(classes=97), 'classes must be at most 96, got 97'),
        (dict(train_most=2), 'train_fewest 3 is more than train_most 2'),
    ],
)
def test_a_world_of_impossible_size_is_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        EmojiWorldSize(**options)


def test_an_unknown_style_or_a_third_glyph_is_an_error():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"style must be one of .*'oil'"):
        draw_image((), rng, style='oil')
    with pytest.raises(ValueError, match='at most two glyphs'):
        draw_image((1, 2, 3), rng)


def test_missing_artwork_is_an_error(monkeypatch):
    monkeypatch.setattr(emoji_glyphs, 'find_spec', lambda name: None)
    emoji_glyphs._load_font.cache_clear()
    with pytest.raises(ValueError, match=r'pip install -r requirements/world'):
        emoji_glyphs.render_glyph.__wrapped__(0x1F426)
    emoji_glyphs._load_font.cache_clear()


def test_a_missing_world_or_split_is_an_error(world, tmp_path):
    with pytest.raises(ValueError, match=r"one of .* got 'dev'"):
        DATASETS.build(
            dict(type='ltvl_mm.EmojiWorld', data_root=str(world), split='dev')
        )
    with pytest.raises(ValueError, match=r'no emoji world in .*make_emoji'):
        DATASETS.build(
            dict(
                type='ltvl_mm.EmojiWorld',
                data_root=str(tmp_path),
                split='val',
            )
        )


def test_pages_that_show_the_artwork_name_its_license():
    page = Path(__file__).parents[2] / 'projects/emoji_clip/README.md'
    assert ATTRIBUTION in page.read_text(encoding='utf-8')
