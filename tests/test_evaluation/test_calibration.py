import numpy as np
import pytest

from ltvl_mm.evaluation.calibration import bin_confidences


def test_bins_and_their_error_by_hand():
    bins = bin_confidences(
        np.array([0.1, 0.2, 0.6, 0.8, 1.0]),
        np.array([False, True, True, True, False]),
        bins=2,
    )
    assert bins.count.tolist() == [2, 3]
    np.testing.assert_allclose(bins.confidence, [15, 80])
    np.testing.assert_allclose(bins.accuracy, [50, 200 / 3])
    assert bins.error == pytest.approx((2 * 35 + 3 * (80 - 200 / 3)) / 5)


def test_an_empty_bin_has_no_accuracy_and_no_weight():
    bins = bin_confidences(np.array([0.95]), np.array([True]))
    assert bins.count.sum() == 1
    assert np.isnan(bins.accuracy[0])
    assert bins.error == pytest.approx(5)


@pytest.mark.parametrize(
    ('confidence', 'message'),
    [([], 'no prediction'), ([0.5, 1.2], r'got 1\.2'), ([np.nan], 'got nan')],
)
def test_what_is_no_confidence_is_refused(confidence, message):
    with pytest.raises(ValueError, match=message):
        bin_confidences(np.array(confidence), np.ones(len(confidence), bool))
