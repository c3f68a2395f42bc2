import numpy as np
import pytest
import torch
from mmengine.registry import DATASETS

from ltvl_mm.datasets.emoji_corpus import choose_object


def build(folder, length=12, **options):
    return DATASETS.build(
        dict(
            type='ltvl_mm.EmojiCorpus',
            length=length,
            cache=str(folder / 'corpus'),
            workers=1,
            **options,
        )
    )


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('corpus')
    build(folder).full_init()
    return folder


def test_a_pair_is_an_image_and_words_about_it(folder):
    corpus = build(folder)
    assert len(corpus) == 12
    for index in range(12):
        item = corpus[index]
        assert item['inputs'].shape == (3, 32, 32)
        assert item['inputs'].dtype == torch.uint8
        assert item['data_samples'].caption.strip()
    words = [choose_object(index, 0)[1].name for index in range(12)]
    assert len(set(words)) > 8


def test_torch_seeds_caption_and_shift(folder):
    corpus = build(folder)

    def visit(seed):
        torch.manual_seed(seed)
        items = [corpus[index] for index in range(12)]
        captions = [item['data_samples'].caption for item in items]
        return captions, torch.stack([item['inputs'] for item in items])

    captions, images = visit(0)
    again, same = visit(0)
    assert again == captions
    assert torch.equal(images, same)
    others, moved = visit(1)
    assert others != captions
    assert not torch.equal(images, moved)


def test_images_do_not_depend_on_length(folder):
    short, long = build(folder), build(folder, length=14)
    for corpus in (short, long):
        corpus.full_init()
    assert np.array_equal(short._images, long._images[:12])


def test_nothing_is_drawn_before_it_is_needed(tmp_path):
    assert len(build(tmp_path)) == 12
    assert not list(tmp_path.iterdir())


def test_a_corpus_without_images_is_an_error(tmp_path):
    with pytest.raises(ValueError, match='length must be at least 1, got 0'):
        build(tmp_path, length=0)


def test_a_file_of_another_corpus_is_an_error(tmp_path):
    corpus = build(tmp_path)
    np.save(corpus.file, np.zeros((3, 32, 32, 3), np.uint8))
    with pytest.raises(ValueError, match=r'delete it, and it is drawn again'):
        corpus.full_init()
