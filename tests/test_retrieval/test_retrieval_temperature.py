"""Temperature of a retrieval by val images made by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
from web_memory import ENCODER, write_store

from ltvl_mm.apis import retrieval_temperature
from ltvl_mm.apis.retrieval_temperature import choose_temperature
from ltvl_mm.retrieval.options import RetrievalOptions
from ltvl_mm.structures.background import Background
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.image_list import ImageList, write_image_list

CLIP = SimpleNamespace(temperature=0.03, arch='toy')
AUTO = RetrievalOptions(temperature='auto')
QUERIES = ClassQueries(
    ('dog', 'cat'), ('{}',), np.eye(2, 3, dtype=np.float32), ENCODER
)
OTHER = Background(
    ClassQueries(
        ('stone',), ('{}',), np.eye(3, dtype=np.float32)[[2]], ENCODER
    ),
    'builtin',
    'hash',
)


@pytest.fixture
def said(monkeypatch):
    """Messages of the log."""
    found = []
    monkeypatch.setattr(
        retrieval_temperature,
        'print_log',
        lambda text, *_, **__: found.append(text),
    )
    return found


@pytest.fixture
def make_val(tmp_path):
    def make(images, wrong):
        """Images between both classes, some with the label of the other."""
        angle = np.linspace(0.1, 0.7, images)
        points = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1)
        labels = (np.arange(images) < wrong).astype(int)
        store = write_store(tmp_path / 'val', [points.astype(np.float32)])
        paths = tuple(f'0/{row}' for row in range(images))
        write_image_list(tmp_path / 'val.txt', ImageList(paths, labels))
        return store, tmp_path / 'val.txt'

    return make


@pytest.mark.parametrize(
    ('wrong', 'reason'),
    [(0, 'is the lowest temperature'), (60, 'is the highest temperature')],
)
def test_a_fit_at_the_end_of_the_search_is_not_the_default(
    make_val, wrong, reason, said
):
    val = make_val(60, wrong)
    found = choose_temperature(RetrievalOptions(), QUERIES, CLIP, val, OTHER)
    assert (found.value, found.source) == (0.03, 'encoder')
    assert said[0].startswith('temperature 0.03, of the logit scale of toy')
    assert reason in ''.join(said)
    said.clear()
    found = choose_temperature(AUTO, QUERIES, CLIP, val, OTHER)
    assert (found.value, found.source) == (100 if wrong else 1e-4, 'val')
    assert 'are not reliable' in ''.join(said)
    assert reason in ''.join(said)


def test_a_fit_to_few_images_is_warned_of(make_val, said):
    found = choose_temperature(AUTO, QUERIES, CLIP, make_val(49, 5), OTHER)
    assert 1e-4 < found.value < 100
    assert '49 val images are too few' in ''.join(said)


def test_a_fit_to_enough_images_is_the_default(make_val, said):
    val = make_val(50, 5)
    found = choose_temperature(RetrievalOptions(), QUERIES, CLIP, val, OTHER)
    assert (found.source, found.val_images) == ('val', 50)
    assert found == choose_temperature(AUTO, QUERIES, None, val, OTHER)
    assert 'reliable' not in ''.join(said)


def test_one_class_has_no_temperature_to_fit(make_val, said):
    dog = ClassQueries(('dog',), ('{}',), np.eye(1, 3, dtype='f4'), ENCODER)
    cosine = RetrievalOptions(score='cosine')
    val = make_val(60, 0)
    assert choose_temperature(cosine, dog, CLIP, val).source == 'encoder'
    assert said[0].startswith('the val images are not used')
    with pytest.raises(ValueError, match=r'\(--temperature auto\) .* builtin'):
        choose_temperature(AUTO, dog, CLIP, val)
    with pytest.raises(ValueError, match=r'give a number \(--temperature'):
        choose_temperature(cosine, dog, None, val)
    with_stone = choose_temperature(AUTO, dog, CLIP, val, OTHER)
    assert with_stone.source == 'val'
