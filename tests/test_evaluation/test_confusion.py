import numpy as np

from ltvl_mm.evaluation.confusion import (
    count_confusions,
    find_confused_classes,
)

TARGET = np.array([0, 0, 1, 1, 2, 2, 2, 2])
PRED = np.array([0, 0, 0, 2, 0, 2, 4, 4])


def test_classes_of_the_most_frequent_confusions():
    # Of class 1, half is 0 and half is 2; of class 2, half 4 and a quarter 0.
    found = find_confused_classes(PRED, TARGET, 5, limit=9)
    assert found.tolist() == [0, 1, 2, 4]
    # Two images of four before one of two: more images for equal shares.
    found = find_confused_classes(PRED, TARGET, 5, limit=2)
    assert found.tolist() == [2, 4]
    assert find_confused_classes(TARGET, TARGET, 5, limit=9).tolist() == []


def test_confusions_by_hand_with_all_others_in_the_last_column():
    shares = count_confusions(PRED, TARGET, np.array([1, 2]))
    np.testing.assert_allclose(shares, [[0, 50, 50], [0, 25, 75]])


def test_a_class_without_images_is_a_row_of_zeros():
    assert not count_confusions(PRED, TARGET, np.array([3])).any()
