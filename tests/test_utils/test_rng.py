import pytest

from ltvl_mm.utils.rng import make_generator


def _draw(*path):
    return make_generator(*path).integers(1 << 62)


def test_the_same_path_gives_the_same_numbers():
    assert _draw(3, 7) == _draw(3, 7)


def test_no_two_seeds_share_an_epoch():
    # seed + epoch and seed * epoch repeat themselves all over this grid.
    drawn = {_draw(seed, epoch) for seed in range(20) for epoch in range(20)}
    assert len(drawn) == 400


def test_a_longer_path_is_another_generator():
    assert len({_draw(1), _draw(1, 2), _draw(1, 2, 3)}) == 3


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match=r'seeds must be >= 0, got \(1, -2\)'):
        make_generator(1, -2)
