"""Image files that a data set refers to."""

from collections.abc import Iterable
from pathlib import Path

from ltvl_mm.structures.classification_dataset import ClassificationDataset
from ltvl_mm.utils.progress import progress_bar

# A wrong root makes all of them missing, a lost image only one.
_LOOKED_AT = 5


def check_first_images(dataset: ClassificationDataset, name: str) -> None:
    """Find a wrong data root before training does.

    Args:
        dataset: A data set with ``get_data_info`` and a length.
        name: Name of the data set in the message.

    Raises:
        ValueError: If none of the first images, local files all, exists.
    """
    path = None
    for index in range(min(_LOOKED_AT, len(dataset))):
        path = dataset.get_data_info(index).get('img_path')
        if path is None or '://' in str(path) or Path(path).is_file():
            return
    if path is not None:
        raise ValueError(
            f'the first images of {name} do not exist, such as {path}; check '
            f'its root and prefix'
        )


def find_missing_images(root: str | Path, paths: Iterable[str]) -> list[str]:
    """Return the paths, below ``root``, that are not files; shows a bar."""
    paths = list(dict.fromkeys(paths))
    root = Path(root)
    missing = []
    with progress_bar(total=len(paths), title='images', unit='img') as bar:
        for path in paths:
            if not (root / path).is_file():
                missing.append(path)
            bar.update()
    return missing
