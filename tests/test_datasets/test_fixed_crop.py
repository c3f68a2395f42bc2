"""Crops at given places."""

import numpy as np
import pytest
import torch
from torchvision.transforms import FiveCrop

from ltvl_mm.datasets import FixedCrop

PLACES = ((0, 0), (1, 0), (0, 1), (1, 1), (0.5, 0.5))


@pytest.mark.parametrize('shape', [(7, 9), (8, 5), (5, 5)])
def test_five_of_them_are_those_of_torchvision(shape):
    image = np.arange(3 * np.prod(shape)).reshape(*shape, 3)
    expected = FiveCrop(5)(torch.from_numpy(image).permute(2, 0, 1))
    for (x, y), crop in zip(PLACES, expected, strict=True):
        found = FixedCrop(5, x=x, y=y)({'img': image, 'img_path': 'a'})
        assert found['img'].tolist() == crop.permute(1, 2, 0).tolist()
        assert found['img_shape'] == (5, 5)
        assert found['img_path'] == 'a'


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match=r'must lie in \[0, 1\], got 0 and 2'):
        FixedCrop(5, x=0, y=2)
    crop = FixedCrop(5, x=0, y=0)
    with pytest.raises(ValueError, match='no crop of 5 x 5 fits into 4 x 9'):
        crop({'img': np.zeros((4, 9, 3))})
