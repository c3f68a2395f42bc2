import numpy as np
import pytest

from ltvl_mm.evaluation.smoothing import smooth_by_count


def test_a_curve_runs_from_many_to_few_images():
    counts = np.array([100, 1, 10, 10])
    values = np.array([90.0, 0.0, 40.0, 60.0])
    grid, curve = smooth_by_count(counts, values, points=3)
    np.testing.assert_allclose(grid, [100, 10, 1])
    # The kernel is narrow beside the distance of these three counts, and
    # classes of equal counts are averaged.
    np.testing.assert_allclose(curve, [90, 50, 0], atol=0.01)


def test_weights_are_those_of_a_gaussian_kernel():
    counts = np.array([8, 4, 2, 1])
    values = np.array([100.0, 0.0, 0.0, 0.0])
    grid, curve = smooth_by_count(counts, values, points=5)
    distance = (np.log(grid[1]) - np.log(counts)) / (0.08 * np.log(8))
    weights = np.exp(-(distance**2) / 2)
    assert curve[1] == pytest.approx(100 * weights[0] / weights.sum())


def test_untested_classes_and_empty_classes():
    counts = np.array([0, 5, 5])
    values = np.array([20.0, np.nan, 60.0])
    grid, curve = smooth_by_count(counts, values, points=2)
    np.testing.assert_allclose(grid, [5, 0.5])
    np.testing.assert_allclose(curve, [60, 20])
    assert smooth_by_count(counts, np.full(3, np.nan))[0].size == 0


def test_equal_counts_make_one_point():
    grid, curve = smooth_by_count(np.array([7, 7]), np.array([0.0, 50.0]))
    np.testing.assert_allclose([grid, curve], [[7], [25]])
