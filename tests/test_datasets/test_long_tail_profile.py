import numpy as np
import pytest

from ltvl_mm.datasets.long_tail_profile import (
    count_profile,
    draw_split,
    exponential_profile,
    fit_profile,
    make_profile,
    pareto_profile,
)
from ltvl_mm.structures.class_counts import group_classes
from ltvl_mm.structures.image_list import ImageList


@pytest.mark.parametrize(
    ('num_classes', 'most', 'ratio', 'total'),
    [
        # The sizes that work on CIFAR-LT reports (Cao et al. 2019 and after).
        (100, 500, 10, 19573),
        (100, 500, 50, 12608),
        (100, 500, 100, 10847),
        (10, 5000, 10, 20431),
        (10, 5000, 50, 13996),
        (10, 5000, 100, 12406),
    ],
)
def test_exponential_gives_the_documented_cifar_lt(
    num_classes, most, ratio, total
):
    counts = count_profile(exponential_profile(num_classes, ratio), most)
    assert counts.sum() == total
    assert counts[0] == most
    assert counts[-1] == most // ratio


def test_pareto_comes_near_imagenet_lt():
    counts = count_profile(pareto_profile(1000, 256), 1280)
    assert (counts[0], counts[-1]) == (1280, 5)
    assert abs(counts.sum() - 115846) < 0.05 * 115846
    groups = group_classes(counts)
    for name, published in (('many', 385), ('medium', 479), ('few', 136)):
        assert abs((groups == name).sum() - published) < 25


@pytest.mark.parametrize('shape', ['exponential', 'pareto'])
def test_the_fit_is_the_largest_that_all_classes_allow(shape):
    profile = make_profile(shape, 20, 30)
    available = np.random.default_rng(0).integers(5, 60, 20)
    most = fit_profile(profile, available)
    assert (count_profile(profile, most) <= available).all()
    assert (count_profile(profile, most + 1) > available).any()


def test_a_balanced_profile_takes_all():
    assert fit_profile(exponential_profile(3, 1), np.full(3, 7)) == 7


def test_a_draw_depends_on_names_and_seed_not_on_order():
    paths = tuple(f'{row}.jpg' for row in range(20))
    images = ImageList(paths, np.arange(20) % 2)
    turned = ImageList(paths[::-1], images.labels[::-1])
    counts = np.array([4, 2])
    drawn, others = draw_split(images, counts, 5)
    assert drawn.paths == draw_split(turned, counts, 5)[0].paths
    assert drawn.paths != draw_split(images, counts, 6)[0].paths
    assert np.bincount(drawn.labels).tolist() == [4, 2]
    assert set(drawn.paths) | set(others.paths) == set(paths)
    assert not set(drawn.paths) & set(others.paths)


def test_bad_requests_are_refused():
    with pytest.raises(ValueError, match='>= 2 classes, got 1'):
        exponential_profile(1, 10)
    with pytest.raises(ValueError, match=r'>= 1, got 0.5'):
        pareto_profile(10, 0.5)
    with pytest.raises(ValueError, match=r'>= 1, got inf'):
        exponential_profile(10, float('inf'))
    for alpha in (0, float('nan'), float('inf')):
        with pytest.raises(ValueError, match='alpha must be a finite number'):
            pareto_profile(10, 5, alpha=alpha)
    with pytest.raises(ValueError, match=r"one of .*, got 'step'"):
        make_profile('step', 10, 5)
    with pytest.raises(ValueError, match='>= 1 image, got 0'):
        count_profile(exponential_profile(3, 10), 0)
    with pytest.raises(ValueError, match='class 0 has 1 images, 2 are needed'):
        draw_split(ImageList(('a',), np.array([0])), np.array([2]), 0)
