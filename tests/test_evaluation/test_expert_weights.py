import numpy as np
import pytest

from ltvl_mm.evaluation.expert_weights import learn_expert_weights, mix_experts


def draw(noise, images=200):
    """Return two views of images by experts of so much noise each."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(images, 4)) * 2
    return np.stack(
        [
            np.stack(
                [truth + rng.normal(size=truth.shape) * n for n in noise], 1
            )
            for _ in range(2)
        ]
    )


def learn(views, *, epochs=5, rate=0.1, **settings):
    return learn_expert_weights([views] * epochs, rate=rate, **settings)


def softmax(z):
    powers = np.exp(z - z.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def score_slowly(views, scores, entropy_weight):
    """TADE's objective, as its code writes it."""
    shares = softmax(scores)
    first, second = (
        softmax(sum(share * view[:, e] for e, share in enumerate(shares)))
        for view in views
    )
    cosines = [
        a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        for a, b in zip(first, second, strict=True)
    ]
    entropy = -np.mean(first * np.log(first))
    entropy -= np.mean(second * np.log(second))
    return np.mean(cosines) + entropy_weight * entropy


@pytest.mark.parametrize('entropy_weight', [0.0, 0.5])
def test_two_steps_are_those_of_sgd_with_nesterov_momentum(entropy_weight):
    views = draw([2.0, 0.5, 1.0], images=20)
    decay, rate, tiny = 0.3, 0.7, 1e-5
    scores, momentum = np.zeros(3), np.zeros(3)
    for _ in range(2):
        slope = np.array(
            [
                score_slowly(views, scores + tiny * axis, entropy_weight)
                - score_slowly(views, scores - tiny * axis, entropy_weight)
                for axis in np.eye(3)
            ]
        ) / (2 * tiny)
        gradient = -slope + decay * scores
        momentum = 0.9 * momentum + gradient
        scores = scores - rate * (gradient + 0.9 * momentum)
    found = learn(
        views,
        epochs=2,
        rate=rate,
        weight_decay=decay,
        entropy_weight=entropy_weight,
    )
    assert found == pytest.approx(softmax(scores), abs=1e-5)
    assert np.abs(found - 1 / 3).max() > 0.01


def test_an_expert_that_two_views_agree_on_counts_more():
    shares = learn(draw([3.0, 0.1, 3.0]))
    assert shares.sum() == pytest.approx(1, abs=1e-6)
    assert shares.argmax() == 1
    assert shares[1] > 0.5


def test_equal_experts_keep_equal_shares():
    shares = learn(draw([1.0, 1.0, 1.0]))
    assert shares == pytest.approx(1 / 3, abs=0.1)


def test_learning_stops_before_an_expert_is_lost_for_good():
    asked = []

    def compute():
        for epoch in range(50):
            asked.append(epoch)
            yield draw([9.0, 0.01])

    few = learn(draw([9.0, 0.01]), rate=30.0, epochs=1)
    many = learn_expert_weights(compute(), rate=30.0)
    assert few.min() < 0.045  # 0.04 after rounding
    assert many.tolist() == few.tolist()
    assert asked == [0]


def test_shares_mix_logits():
    logits = np.array([[[1.0, 0.0], [0.0, 4.0]]])
    assert mix_experts(logits, np.array([0.75, 0.25])).tolist() == [[0.75, 1]]


def test_one_view_or_no_pass_is_not_enough():
    with pytest.raises(ValueError, match=r'shape \(2, N, E, K\), got \(1, 2'):
        learn(np.zeros((1, 2, 3, 4)))
    with pytest.raises(ValueError, match='at least one pass, got none'):
        learn_expert_weights([], rate=0.1)
    for rate in (0, float('nan'), float('inf')):
        with pytest.raises(ValueError, match='rate must be a finite number'):
            learn_expert_weights([], rate=rate)
