"""The product in bfloat16 loses no image, and passes few in vain."""

import numpy as np
import pytest
import torch
from web_memory import ENCODER, write_store

from ltvl_mm.retrieval.search import bfloat16_prefilter
from ltvl_mm.retrieval.search.bfloat16_prefilter import (
    BFloat16Prefilter,
    choose_prefilter,
)
from ltvl_mm.retrieval.search.float32_prefilter import (
    Float32Prefilter,
    make_class_logits,
)
from ltvl_mm.retrieval.search.scores import RowScores, compute_scores
from ltvl_mm.retrieval.search.search_spec import SearchOptions
from ltvl_mm.retrieval.search.selection import Selection
from ltvl_mm.structures.class_queries import ClassQueries


def _draw(seed, rows, classes, dim, likeness):
    """Return (B, D) images, (K, D) queries; images are like one of them."""
    rng = np.random.default_rng(seed)
    queries = rng.normal(size=(classes, dim))
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    images = rng.normal(size=(rows, dim)) / np.sqrt(dim)
    images += likeness * queries[rng.integers(classes, size=rows)]
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    return images.astype(np.float32), queries


@pytest.mark.parametrize('score', ['softmax', 'margin', 'cosine'])
@pytest.mark.parametrize('classes', [5, 70, 600])
@pytest.mark.parametrize('temperature', [0.01, 0.1])
def test_no_image_of_a_float64_search_is_lost(score, classes, temperature):
    images, queries = _draw(0, 4000, classes, 64, 0.3)
    scores = compute_scores(
        images.astype(np.float64) @ queries.T,
        temperature=temperature,
        score=score,
    )
    logits = make_class_logits(queries, temperature, score)
    exact = Float32Prefilter(logits)
    fast = BFloat16Prefilter(logits)
    for rank in (1, 5, 50):
        thresholds = np.sort(scores, 0)[-rank]
        wanted = (scores >= thresholds).any(1)
        for prefilter in (exact, fast):
            prefilter.set_thresholds(thresholds)
            passed = prefilter.find(torch.from_numpy(images))
            assert np.isin(np.flatnonzero(wanted), passed).all()


@pytest.mark.parametrize('kind', [Float32Prefilter, BFloat16Prefilter])
def test_high_scores_are_not_lost_in_rounding(kind):
    # log p of these is -1e-5 to -1e-7, where float32 sums of logits end.
    rng = np.random.default_rng(5)
    queries = rng.normal(size=(10, 64))
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    images = rng.normal(size=(20, 1, 64)) / 8
    images = images + np.linspace(1, 3, 200)[:, None] * queries[0]
    images = images.reshape(-1, 64)
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    images = images.astype(np.float32)
    scores = compute_scores(
        images.astype(np.float64) @ queries.T,
        temperature=0.05,
        score='softmax',
    )[:, 0]
    prefilter = kind(make_class_logits(queries, 0.05, 'softmax'))
    logits = images @ prefilter.weights.numpy().T
    rows = RowScores(logits, 'softmax')
    chosen = np.sort(scores[(scores > 9) & (scores < 16)])[::20]
    assert len(chosen) > 20
    for threshold in chosen:
        prefilter.set_thresholds(np.where(np.arange(10), np.inf, threshold))
        wanted = np.flatnonzero(scores >= threshold)
        assert np.isin(wanted, prefilter.find(torch.from_numpy(images))).all()
        assert np.isin(wanted, rows.find_pairs(prefilter.bounds)[0]).all()


def test_few_images_pass_in_vain():
    images, queries = _draw(1, 6000, 600, 128, 0.3)
    scores = compute_scores(
        images.astype(np.float64) @ queries.T,
        temperature=0.01,
        score='softmax',
    )
    logits = make_class_logits(queries, 0.01, 'softmax')
    thresholds = np.sort(scores, 0)[-2]
    shares = []
    for prefilter in (Float32Prefilter(logits), BFloat16Prefilter(logits)):
        prefilter.set_thresholds(thresholds)
        shares.append(len(prefilter.find(torch.from_numpy(images))) / 6000)
    assert shares[0] < shares[1] < 2 * shares[0]


def test_an_image_that_rounding_would_lose_passes():
    # 1 + 2^-9 rounds to 1: the two scores are the same in bfloat16.
    queries = np.eye(2, 4)
    logits = make_class_logits(queries, 1.0, 'cosine')
    fast = BFloat16Prefilter(logits)
    image = torch.tensor([[0.5 + 2.0**-10, 0.5, 0.5, 0.5]])
    rounded = float(
        (image.bfloat16().float() @ torch.from_numpy(queries.T).float())[0, 0]
    )
    assert rounded == 0.5
    fast.set_thresholds(np.array([0.5 + 2.0**-10, 2.0]))
    assert fast.find(image).tolist() == [0]
    fast.set_thresholds(np.array([0.6, 2.0]))
    assert fast.find(image).tolist() == []


@pytest.mark.parametrize(
    ('product', 'classes', 'fast', 'wanted'),
    [
        ('auto', 600, True, True),
        ('auto', 600, False, False),
        ('auto', 70, True, False),
        ('bfloat16', 70, False, True),
        ('float32', 600, True, False),
    ],
)
def test_the_processor_and_the_classes_decide(
    monkeypatch, product, classes, fast, wanted
):
    monkeypatch.setattr(bfloat16_prefilter, 'has_amx', lambda: fast)
    _, queries = _draw(0, 1, classes, 8, 0)
    exact = Float32Prefilter(make_class_logits(queries, 0.01, 'softmax'))
    assert (choose_prefilter(exact, product) is not None) is wanted


def test_another_device_is_refused():
    _, queries = _draw(0, 1, 5, 8, 0)
    classes = make_class_logits(queries, 0.01, 'softmax')
    exact = Float32Prefilter(classes)
    exact.device = torch.device('cuda')  # as if there were one
    with pytest.raises(ValueError, match="needs device='cpu', got 'cuda'"):
        choose_prefilter(exact, 'bfloat16')


def test_an_unknown_product_is_refused(tmp_path):
    store = write_store(tmp_path, [np.eye(2, 4, dtype='f2')])
    queries = ClassQueries(('a', 'b'), ('{}',), np.eye(2, 4), ENCODER)
    options = SearchOptions(temperature=1.0, product='int8')
    with pytest.raises(ValueError, match="float32, bfloat16, got 'int8'"):
        Selection(store, queries, np.ones(2), options)
