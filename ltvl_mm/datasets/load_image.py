"""Image loading transform that decodes as embedding does."""

import mmengine.fileio
import numpy as np
from mmcv.transforms import LoadImageFromFile

from ltvl_mm.registry import TRANSFORMS
from ltvl_mm.utils.image_decoding import decode_image
from ltvl_mm.utils.regular_files import read_part_of_file, read_regular


@TRANSFORMS.register_module()
class LoadImage(LoadImageFromFile):
    """Load an image from ``img_path`` as 8-bit BGR, as embedding reads it.

    A replacement for mmpretrain's ``LoadImageFromFile``, which decodes with
    OpenCV and therefore drops the alpha channel without blending and cannot
    read QOI, TGA, 32-bit or float TIFF. This transform decodes with
    :func:`~ltvl_mm.utils.image_decoding.decode_image`: transparent images are
    blended with white, 16-bit samples are scaled to 8 bits, EXIF orientation
    is applied, and the first frame is taken. For ordinary JPEG and PNG files
    both give the same pixels.

    If ``results`` has a ``byte_range`` (first byte and number of bytes), as
    samples of :class:`ltvl_mm.CaptionedImages` have, the image is that part
    of the file, such as a member of a tar.

    Adds ``img``, a (H, W, 3) array of BGR values in [0, 255], and
    ``img_shape`` and ``ori_shape``, both (H, W).

    Args:
        to_float32: Return float32 instead of uint8. Default False.
        ignore_empty: Return None instead of raising if the image cannot be
            loaded. Default False.
        backend_args: File backend of mmengine. Default None reads addresses
            (``s3://``, ``gs://``, ``hf://``, ``https://``) through fsspec.

    Raises:
        ValueError: If the image cannot be read; the message names it.
    """

    def __init__(
        self,
        *,
        to_float32: bool = False,
        ignore_empty: bool = False,
        backend_args: dict | None = None,
    ) -> None:
        super().__init__(
            to_float32=to_float32,
            ignore_empty=ignore_empty,
            backend_args=backend_args,
        )

    def transform(self, results: dict) -> dict | None:
        """Return ``results`` with the image that ``img_path`` names."""
        path = str(results['img_path'])
        try:
            data = (
                _read_range(path, *results['byte_range'])
                if 'byte_range' in results
                else self._read_bytes(path)
            )
            pixels = np.asarray(decode_image(data))
        except (OSError, ValueError) as error:
            if self.ignore_empty:
                return None
            raise ValueError(
                f'the image {path} cannot be read: {error}'
            ) from error
        image = np.ascontiguousarray(pixels[..., ::-1])  # RGB to BGR
        if self.to_float32:
            image = image.astype(np.float32)
        shape = image.shape[:2]
        return {
            **results,
            'img': image,
            'img_shape': shape,
            'ori_shape': shape,
        }

    def _read_bytes(self, path: str) -> bytes:
        if self.backend_args is None:
            return read_regular(path)  # never waits for a pipe
        return mmengine.fileio.get(path, backend_args=self.backend_args)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(to_float32={self.to_float32}, '
            f'ignore_empty={self.ignore_empty}, '
            f'backend_args={self.backend_args})'
        )


def _read_range(path: str, offset: int, size: int) -> bytes:
    data = read_part_of_file(path, offset, size)
    if len(data) < size:
        raise ValueError(
            f'the file ends within the {size} bytes from {offset} on'
        )
    return data
