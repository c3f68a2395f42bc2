"""Long-tailed versions of ordinary data sets, as lists of images."""

from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from ltvl_mm.datasets.class_folders import read_class_folders
from ltvl_mm.datasets.long_tail_profile import (
    count_profile,
    draw_split,
    exponential_profile,
    fit_profile,
)
from ltvl_mm.datasets.published_lists import write_lists
from ltvl_mm.datasets.published_splits import check_labels
from ltvl_mm.datasets.split_check import check_unique_paths
from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.structures.image_list import ImageList, read_image_list
from ltvl_mm.utils.io import check_or_write_settings
from ltvl_mm.utils.lock import locks_output
from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.utils.temporaries import explain_write_errors


def read_labeled_images(
    source: str | Path, class_names: str | Path | None = None
) -> tuple[ImageList, tuple[str, ...]]:
    """Return the images of a folder or list, and the names of the classes.

    Args:
        source: A folder with a folder per class, named as the class, ``_``
            for a space; or a ``path label`` list.
        class_names: File of names in label order; a list needs it, a folder
            takes those of its folders if None.

    Raises:
        ValueError: If the source is neither, a class has no image, or there
            are more or fewer names than labels.
    """
    source = Path(source)
    if source.is_dir():
        images, folders = read_class_folders(source)
        # Names that CLIP can read.
        found = [name.replace('_', ' ') for name in folders]
    elif class_names is None:
        raise ValueError(f'the list {source} needs a file of class names')
    else:
        images, found = read_image_list(source), []
    names = load_class_names(class_names or found)
    check_labels(str(source), np.bincount(images.labels), len(names))
    return images, names


def cut_long_tail(
    images: ImageList,
    profile: np.ndarray | None,
    *,
    seed: int,
    most: int | None = None,
    val_per_class: int = 0,
    test_per_class: int = 0,
    ranks: np.ndarray | None = None,
) -> dict[str, ImageList]:
    """Return a long-tailed train list, and balanced val and test lists.

    Test and val are drawn first, so that a rarer tail changes neither.

    Args:
        images: Each label 0 to K - 1.
        profile: (K,) shares of the largest class, falling; None leaves all
            images that val and test do not take in the train list.
        seed: Seed of the draw.
        most: Training images of the largest class; None takes as many as all
            classes allow.
        val_per_class: Images of each class for val; 0 makes no list.
        test_per_class: Likewise for test.
        ranks: (K,) place of each class in the profile; None ranks them by
            how many images they have.

    Raises:
        ValueError: If a class has too few images, or an image is listed
            twice.
    """
    num_classes = int(images.labels.max()) + 1
    # A repeated image could be drawn for two splits.
    check_unique_paths(images)
    lists, rest = {}, images
    for stream, (split, count) in enumerate(
        [('test', test_per_class), ('val', val_per_class)], 1
    ):
        if count < 0:
            raise ValueError(f'{split} per class must be >= 0, got {count}')
        if count:
            lists[split], rest = draw_split(
                rest, np.full(num_classes, count), seed, stream
            )
    available = np.bincount(rest.labels, minlength=num_classes)
    if not available.all():
        raise ValueError(
            f'val and test leave class {available.argmin()} no training image'
        )
    if profile is None:
        return {'train': rest, **lists}
    if ranks is None:
        ranks = np.argsort(np.argsort(-available, kind='stable'))
    shares = profile[ranks]
    if most is None:
        most = fit_profile(shares, available)
    train, _ = draw_split(rest, count_profile(shares, most), seed, 0)
    return {'train': train, **lists}


class LabeledPixels(Protocol):
    """Images of one size in memory, as torchvision's CIFAR classes."""

    classes: list[str]
    targets: list[int]
    data: np.ndarray


@locks_output('root')
def write_cifar(
    root: str | Path,
    train: LabeledPixels,
    test: LabeledPixels,
    *,
    ratio: float,
    seed: int,
    val_per_class: int = 0,
) -> dict[str, ImageList]:
    """Write CIFAR-10-LT or CIFAR-100-LT: PNG files, then the lists.

    Source: Cao et al. 2019 (LDAM): classes in their usual order, the first
    the largest, all test images kept.

    Args:
        root: Folder of the data set; belongs to these settings only.
        train: ``torchvision.datasets.CIFAR10`` or ``CIFAR100``, or the like:
            ``data`` (N, H, W, 3) uint8, ``targets``, ``classes``.
        test: The same of the test images.
        ratio: Largest to smallest class.
        seed: Seed of the draw.
        val_per_class: Training images of each class held back for val.

    Returns:
        Split -> list.

    Raises:
        ValueError: If the folder was begun with other settings, or a class
            has too few images.
    """
    root = Path(root)
    num_classes = len(train.classes)
    settings = {
        'data set': f'CIFAR-{num_classes}-LT',
        'ratio': ratio,
        'seed': seed,
        'val per class': val_per_class,
    }
    images: dict[str, ImageList] = {}
    pixels: dict[str, np.ndarray] = {}
    for split, dataset in (('train', train), ('test', test)):
        paths = tuple(
            f'images/{split}/{dataset.classes[label]}/{row:05d}.png'
            for row, label in enumerate(dataset.targets)
        )
        images[split] = ImageList(paths, np.array(dataset.targets, np.int64))
        pixels |= zip(paths, dataset.data, strict=True)
    lists = cut_long_tail(
        images['train'],
        exponential_profile(num_classes, ratio),
        seed=seed,
        val_per_class=val_per_class,
        ranks=np.arange(num_classes),
    )
    lists['test'] = images['test']
    files = {
        f'CIFAR{num_classes}_LT_{split}.txt': part
        for split, part in lists.items()
    }
    check_or_write_settings(root, settings)
    # The lists come last: where they are, all images are.
    if not all((root / name).exists() for name in files):
        _save_images(
            root, {p: pixels[p] for part in lists.values() for p in part.paths}
        )
    names = [name.replace('_', ' ') for name in train.classes]
    write_lists(root, files, names)
    return lists


def _save_images(root: Path, pixels: dict[str, np.ndarray]) -> None:
    with progress_bar(total=len(pixels), title='images', unit='img') as bar:
        for path, array in pixels.items():
            with explain_write_errors(root / path):
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(array).save(root / path)
            bar.update()
