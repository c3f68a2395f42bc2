"""Fast 8-bit preprocessing, equal to open_clip's but for rounding.

open_clip's transform resizes with Pillow and normalizes each image on the
CPU. Here torch resizes 8-bit pixels with vector instructions, and the device
of the encoder normalizes whole batches.
"""

from functools import cache

import torch
from PIL import Image
from torch import nn

from ltvl_mm.clip.preprocessing import PreprocessCfg, find_resized_size
from ltvl_mm.utils.pixel_view import view_pixels


class PixelTransform:
    """Resize and crop an image as open_clip does: image -> (3, S, S) uint8.

    The pixels differ from those of open_clip's test transform by 1 in 255, in
    rare places by 2: Pillow and torch round filter weights differently.

    Args:
        preprocessing: Size, resize mode, interpolation and fill color.
    """

    def __init__(self, preprocessing: PreprocessCfg) -> None:
        size = preprocessing.size
        self.preprocessing = preprocessing
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.interpolation = preprocessing.interpolation
        self.fill_color = 0
        if preprocessing.resize_mode == 'longest':
            self.fill_color = preprocessing.fill_color
        elif (
            preprocessing.resize_mode == 'shortest'
            and self.size[0] != self.size[1]
        ):
            # open_clip always resizes to a rectangle with its default.
            self.interpolation = 'bicubic'

    def __call__(self, image: Image.Image) -> torch.Tensor:
        """Return the (3, S, S) uint8 pixels of an RGB image."""
        pixels = view_pixels(image)
        height, width = find_resized_size(self.preprocessing, image)
        # Pixels are clipped to 8 bits after each side, so that the order of
        # sides counts: in noise it changes pixels by 20 of 255. torch starts
        # with the width.
        if _starts_with_height(image, (height, width)):
            pixels = self._resize(pixels, (height, image.width))
        if (height, width) != (image.height, image.width):
            pixels = self._resize(pixels, (height, width))
        return self._crop_or_pad(pixels[0])

    def _resize(
        self, pixels: torch.Tensor, size: tuple[int, int]
    ) -> torch.Tensor:
        return nn.functional.interpolate(
            pixels, size, mode=self.interpolation, antialias=True
        )

    def _crop_or_pad(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the center of (C, H, W) pixels; pad what they lack."""
        height, width = self.size
        rows, rows_out = _align_centers(pixels.shape[1], height)
        columns, columns_out = _align_centers(pixels.shape[2], width)
        out = torch.empty((3, height, width), dtype=torch.uint8)
        if pixels.shape[1] < height or pixels.shape[2] < width:
            out.fill_(self.fill_color)
        # numpy, plane by plane: one copy of all that also moves the channels
        # takes four times as long, torch twice as long.
        source, planes = pixels.numpy(), out.numpy()
        for channel in range(3):
            plane = source[channel, rows, columns]
            planes[channel, rows_out, columns_out] = plane
        return out


class PixelNormalizer(nn.Module):
    """Normalize batches of 8-bit pixels, on any device.

    Args:
        preprocessing: Mean and standard deviation, for values in [0, 1].
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, preprocessing: PreprocessCfg) -> None:
        super().__init__()
        for name in ('mean', 'std'):
            values = torch.tensor(getattr(preprocessing, name))
            self.register_buffer(name, values.view(-1, 1, 1))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Map (B, 3, S, S) uint8 to what ``ToTensor``, ``Normalize`` give."""
        return pixels.float().div_(255).sub_(self.mean).div_(self.std)


def _starts_with_height(image: Image.Image, size: tuple[int, int]) -> bool:
    """Return whether Pillow resizes the height of an image first.

    Pillow 13 does where the height shrinks by more than twice as many pixels
    as the width.
    """
    shrinks = image.height - size[0], image.width - size[1]
    return shrinks[0] > max(0, 2 * shrinks[1]) and _chooses_order()


@cache
def _chooses_order() -> bool:
    """Return False for a version of Pillow that starts with the width."""
    noise = bytes(number * number % 251 for number in range(16 * 64))
    image = Image.frombytes('L', (16, 64), noise)

    def resize(*sizes: tuple[int, int]) -> bytes:
        resized = image
        for size in sizes:
            resized = resized.resize(size, Image.Resampling.BICUBIC)
        return resized.tobytes()

    found, size = resize((12, 16)), (12, 16)
    return found != resize((12, 64), size) and found == resize((16, 16), size)


def _align_centers(source: int, target: int) -> tuple[slice, slice]:
    """Return the common center of two lengths, as slices of both."""
    if source < target:
        start = (target - source) // 2
        return slice(0, source), slice(start, start + source)
    start = round((source - target) / 2)
    return slice(start, start + target), slice(0, target)
