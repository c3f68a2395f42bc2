"""Recipes of perceptual hashes: recorded, kept, and not compared."""

from dataclasses import replace

import imagehash
import numpy as np
import pytest
from PIL import Image
from web_memory import ENCODER, draw, embed, read_folder, write_tar

from ltvl_mm.retrieval import preconditions
from ltvl_mm.retrieval.dedup.image_traits import make_marks, read_traits
from ltvl_mm.retrieval.dedup.near_duplicates import find_copies
from ltvl_mm.retrieval.options import CopyRule
from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.retrieval.task import RetrievalOptions, RetrievalTask
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.store_join import join_stores
from ltvl_mm.utils.hash_recipes import (
    HASH_RECIPE,
    PLAIN_RECIPE,
    SHRUNK_RECIPE,
)
from ltvl_mm.utils.io import read_json, write_json
from ltvl_mm.utils.perceptual_hash import compute_phash

# Settings as they were written before the recipe was recorded.
OLD = {'encoder': ENCODER, 'batch_size': 3, 'precision': 'float32'}


def draw_scene(seed, width, height):
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (7, 9, 3), np.uint8))
    smooth = coarse.resize((width, height), Image.Resampling.BICUBIC)
    grain = rng.normal(0, 6, (height, width, 3))
    pixels = np.clip(np.asarray(smooth) + grain, 0, 255)
    return Image.fromarray(pixels.astype(np.uint8))


@pytest.mark.parametrize('size', [(340, 256), (90, 400), (64, 48), (700, 97)])
def test_the_recipes_differ_in_few_bits(size):
    for seed in range(5):
        image = draw_scene(seed, *size)
        plain = int(str(imagehash.phash(image)), 16)
        assert compute_phash(image, PLAIN_RECIPE) == plain
        for recipe in (SHRUNK_RECIPE, HASH_RECIPE):
            found = compute_phash(image, recipe)
            assert (found ^ plain).bit_count() <= 4
        assert compute_phash(image) == found


def test_hashes_of_small_images_do_not_depend_on_shrinking():
    image = draw_scene(0, 80, 60)
    plain = compute_phash(image, PLAIN_RECIPE)
    assert compute_phash(image, SHRUNK_RECIPE) == plain


@pytest.mark.parametrize('value', [0, 77, 255])
@pytest.mark.parametrize('size', [(1, 1), (31, 700), (340, 256)])
def test_images_of_one_color_have_no_low_frequency_but_the_mean(value, size):
    image = Image.new('RGB', size, (value, value, value))
    assert compute_phash(image) == (1 << 63 if value else 0)


def test_the_transform_is_that_of_imagehash():
    # 32 x 32 pixels of gray are not resized by either.
    rng = np.random.default_rng(0)
    for _ in range(20):
        gray = rng.integers(0, 256, (32, 32), np.uint8)
        image = Image.fromarray(gray).convert('RGB')
        due = int(str(imagehash.phash(image)), 16)
        assert compute_phash(image) == due


def test_small_changes_change_few_bits():
    image = draw_scene(0, 340, 256)
    other = draw_scene(1, 340, 256)
    for copy in (
        image.resize((170, 128), Image.Resampling.BICUBIC),
        image.resize((510, 384), Image.Resampling.BILINEAR),
        image.crop((2, 2, 338, 254)),
    ):
        changed = compute_phash(image) ^ compute_phash(copy)
        assert changed.bit_count() <= CopyRule().phash_bits
    assert (compute_phash(image) ^ compute_phash(other)).bit_count() > 16


def test_an_unknown_recipe_is_refused():
    with pytest.raises(ValueError, match="'later'; expected one of 'image"):
        compute_phash(draw_scene(0, 80, 60), 'later')


@pytest.fixture
def tars(tmp_path):
    return [
        str(write_tar(tmp_path / f'{n}.tar', [(f'{n}.png', draw(40 * n))]))
        for n in range(3)
    ]


def _begin_old(out, tars):
    out.mkdir()
    write_json(out / 'settings.json', OLD)
    return embed(find_shards(tars), out)


def test_a_new_store_names_its_recipe(tars, tmp_path):
    store = embed(find_shards(tars), tmp_path / 'new')
    for name in ('settings.json', 'store.json'):
        assert read_json(tmp_path / 'new' / name)['hash_recipe'] == HASH_RECIPE
    assert {part.hash_recipe for part in store.parts} == {HASH_RECIPE}


def test_an_old_store_is_completed_with_its_own_recipe(tars, tmp_path):
    whole = _begin_old(tmp_path / 'whole', tars)
    _begin_old(tmp_path / 'grown', tars[:1])
    embed(find_shards(tars), tmp_path / 'grown')
    assert read_folder(tmp_path / 'grown') == read_folder(tmp_path / 'whole')
    assert 'hash_recipe' not in read_json(tmp_path / 'whole/store.json')
    assert {part.hash_recipe for part in whole.parts} == {PLAIN_RECIPE}


def test_images_of_two_recipes_are_compared_by_cosine_alone(tars, tmp_path):
    old = _begin_old(tmp_path / 'old', tars[:1])
    new = embed(find_shards(tars[1:]), tmp_path / 'new')
    joined = join_stores([old, new])
    rows = np.arange(3)
    recipes = joined.find_hash_recipes(rows).tolist()
    assert recipes == [PLAIN_RECIPE, HASH_RECIPE, HASH_RECIPE]
    images = read_traits(joined, rows)
    assert images.recipes.tolist() == make_marks(recipes).tolist()
    # Equal embeddings and opposite hashes: other images by their hashes, and
    # copies where only the cosine counts.
    embeddings = images.embeddings[np.zeros(3, int)]
    images = replace(images, embeddings=embeddings)
    images.phash[:] = np.array([0, 0, 2**64 - 1], np.uint64)
    images.sha256[:] = make_marks('abc')
    copies = find_copies(
        images.pick(rows[2:], images.embeddings[2:]), images, CopyRule()
    )
    assert copies[0].of in ('0/0', '2/2')
    kept = images.pick(rows[:2], images.embeddings[:2])
    (by_cosine,) = find_copies(
        images.pick(rows[2:], images.embeddings[2:]), kept, CopyRule()
    )
    assert by_cosine.of == '0/0'  # not 1/1, whose hash is comparable


def test_a_search_says_that_recipes_differ(tars, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(
        preconditions, 'print_log', lambda text, *_, **__: said.append(text)
    )
    old = _begin_old(tmp_path / 'old', tars[:1])
    new = embed(find_shards(tars[1:]), tmp_path / 'new')
    for store, excluded, count in ((new, [new], 0), (new, [old], 1)):
        task = RetrievalTask(
            store,
            ClassQueries(
                ('a', 'b'), ('{}',), np.eye(2, 4, dtype='f4'), ENCODER
            ),
            np.ones(2, np.int64),
            excluded,
            RetrievalOptions(copy='none', temperature=0.1),
        )
        said.clear()
        preconditions.check_stores(task)
        found = [text for text in said if 'recipes' in text]
        assert len(found) == count
    assert 'by the cosine alone' in found[0]
    assert str(tmp_path / 'old') in found[0]
