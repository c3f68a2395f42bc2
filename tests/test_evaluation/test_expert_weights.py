import numpy as np
import pytest

from ltvl_mm.evaluation.expert_weights import learn_expert_weights, mix_experts


def draw(noise):
    """Views of 200 images by experts of so much noise each."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(200, 4)) * 2
    return np.stack(
        [
            np.stack(
                [truth + rng.normal(size=truth.shape) * n for n in noise], 1
            )
            for _ in range(2)
        ]
    )


def test_an_expert_that_two_views_agree_on_counts_more():
    shares = learn_expert_weights(draw([3.0, 0.1, 3.0]))
    assert shares.sum() == pytest.approx(1, abs=1e-6)
    assert shares.argmax() == 1
    assert shares[1] > 0.5


def test_equal_experts_keep_equal_shares():
    shares = learn_expert_weights(draw([1.0, 1.0, 1.0]))
    assert shares == pytest.approx(1 / 3, abs=0.1)


def test_learning_stops_before_an_expert_is_lost_for_good():
    few = learn_expert_weights(draw([9.0, 0.01]), rate=30.0, epochs=1)
    many = learn_expert_weights(draw([9.0, 0.01]), rate=30.0, epochs=50)
    assert few.min() < 0.05
    assert many.tolist() == few.tolist()


def test_shares_mix_logits():
    logits = np.array([[[1.0, 0.0], [0.0, 4.0]]])
    assert mix_experts(logits, np.array([0.75, 0.25])).tolist() == [[0.75, 1]]


def test_one_view_is_not_enough():
    with pytest.raises(ValueError, match=r'shape \(2, N, E, K\), got \(1, 2'):
        learn_expert_weights(np.zeros((1, 2, 3, 4)))
