import numpy as np

from ltvl_mm.evaluation.confusion import count_confusions, find_worst_classes

TARGET = np.array([0, 0, 1, 1, 2, 2, 2, 2])
PRED = np.array([0, 0, 0, 2, 0, 2, 4, 4])


def test_the_worst_come_first_and_untested_classes_never():
    # 100, 0 and 25 % right; 3 and 4 are not tested.
    assert find_worst_classes(PRED, TARGET, 5, limit=9).tolist() == [1, 2, 0]
    assert find_worst_classes(PRED, TARGET, 5, limit=2).tolist() == [1, 2]


def test_confusions_by_hand_with_all_others_in_the_last_column():
    shares = count_confusions(PRED, TARGET, np.array([1, 2]))
    np.testing.assert_allclose(shares, [[0, 50, 50], [0, 25, 75]])


def test_a_class_without_images_is_a_row_of_zeros():
    assert not count_confusions(PRED, TARGET, np.array([3])).any()
