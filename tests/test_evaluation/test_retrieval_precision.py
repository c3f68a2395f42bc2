import numpy as np

from ltvl_mm.evaluation.retrieval_precision import compute_precision_curve


def test_a_class_with_fewer_images_gives_what_it_has():
    # Two classes: right, wrong, right; and right.
    right = np.array([True, False, True, True])
    rank = np.array([0, 1, 2, 0])
    np.testing.assert_allclose(
        compute_precision_curve(right, rank), [100, 200 / 3, 75]
    )


def test_of_nothing_there_is_no_curve():
    empty = np.empty(0, int)
    assert compute_precision_curve(empty.astype(bool), empty).shape == (0,)
