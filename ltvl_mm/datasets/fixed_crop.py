"""A crop at a given place: views of an image to be averaged at test time."""

from mmcv.transforms import BaseTransform

from ltvl_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class FixedCrop(BaseTransform):
    """Cut a square out of an image, at a corner, the center, or between.

    mmpretrain has crops at the center and at random places. Five of these, at
    the corners and the center, are torchvision's FiveCrop.

    Args:
        crop_size: Side of the square in pixels.
        x: Share, in [0, 1], of what is cut off that is to the left.
        y: Share that is above.

    Raises:
        ValueError: If a share lies outside [0, 1].
    """

    def __init__(self, crop_size: int, *, x: float, y: float) -> None:
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise ValueError(f'x and y must lie in [0, 1], got {x} and {y}')
        self.crop_size = crop_size
        self.x = x
        self.y = y

    def transform(self, results: dict) -> dict:
        """Return the results with the crop as ``img``.

        Raises:
            ValueError: If the image is smaller than the crop.
        """
        height, width = results['img'].shape[:2]
        size = self.crop_size
        if min(height, width) < size:
            raise ValueError(
                f'no crop of {size} x {size} fits into {height} x {width}; '
                f'resize the image before FixedCrop'
            )
        top = round(self.y * (height - size))
        left = round(self.x * (width - size))
        image = results['img'][top : top + size, left : left + size]
        return {**results, 'img': image, 'img_shape': image.shape[:2]}
