"""Lists of images in the text format of ImageNet-LT: ``path label``."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ltvl_mm.utils.io import write_if_new


@dataclass(frozen=True)
class ImageList:
    """Images and their labels.

    Args:
        paths: N paths as they stand in the list.
        labels: (N,) int64 in [0, K).
    """

    paths: tuple[str, ...]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.paths)


def read_image_list(
    path: str | Path, *, num_classes: int | None = None
) -> ImageList:
    """Read ``path label`` lines; paths may hold spaces.

    Args:
        path: The list file, UTF-8.
        num_classes: K; None leaves labels unbounded above.

    Raises:
        ValueError: If the file is missing or empty, or a line has no label
            or one outside [0, K); names file, line and value.
    """
    file = Path(path)
    if not file.is_file():
        raise ValueError(f'the image list {file} does not exist')
    paths, labels = [], []
    for number, line in enumerate(
        file.read_text(encoding='utf-8').splitlines(), 1
    ):
        name, _, label = line.strip().rpartition(' ')
        if not name or not label.isdecimal():
            raise ValueError(
                f'{file}, line {number}: expected "path label" with a label '
                f'>= 0, got {line!r:.120}'
            )
        if num_classes is not None and int(label) >= num_classes:
            raise ValueError(
                f'{file}, line {number}: label {label} lies outside '
                f'[0, {num_classes})'
            )
        paths.append(name)
        labels.append(int(label))
    if not paths:
        raise ValueError(f'the image list {file} is empty')
    return ImageList(tuple(paths), np.array(labels, np.int64))


def write_image_list(path: str | Path, images: ImageList) -> bool:
    """Write ``path label`` lines; return whether the file is new or changed.

    Raises:
        ValueError: If a path has a line break.
    """
    lines = []
    for name, label in zip(images.paths, images.labels.tolist(), strict=True):
        if len(name.splitlines()) != 1:
            raise ValueError(f'a list cannot hold the path {name!r:.120}')
        lines.append(f'{name} {label}\n')
    return write_if_new(path, ''.join(lines))
