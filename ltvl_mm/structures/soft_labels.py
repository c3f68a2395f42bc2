"""Soft labels of retrieved images: CLIP's distribution over the classes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.utils.io import hash_content, read_arrays, write_arrays

FILE = 'soft_labels.npz'
MADE_BY = 'tools/analysis_tools/label_retrieved.py'


@dataclass(frozen=True)
class SoftLabels:
    """The most probable classes of M images, row by row as their manifest.

    Args:
        classes: (M, T) int32 indices of classes, T <= K, each once in a row.
        probabilities: (M, T) float32 in [0, 1], of these classes. What a row
            lacks to 1 is shared by the other classes equally.
        num_classes: K.
        images: Hash of the images, of :func:`hash_images`.

    Raises:
        ValueError: If shapes differ, a class lies outside [0, K), or a row
            is not a distribution.
    """

    classes: np.ndarray
    probabilities: np.ndarray
    num_classes: int
    images: str

    def __post_init__(self) -> None:
        """Check the contract."""
        if self.classes.ndim != 2 or (
            self.classes.shape != self.probabilities.shape
        ):
            raise ValueError(
                f'soft labels need classes and probabilities of one shape '
                f'(M, T), got {self.classes.shape} and '
                f'{self.probabilities.shape}'
            )
        outside = (self.classes < 0) | (self.classes >= self.num_classes)
        if outside.any():
            raise ValueError(
                f'soft labels name class {self.classes[outside][0]}, which '
                f'lies outside [0, {self.num_classes})'
            )
        sums = self.probabilities.sum(1)
        valid = (self.probabilities >= 0).all(1) & (sums <= 1 + 1e-4)
        if not valid.all():
            row = int(np.flatnonzero(~valid)[0])
            raise ValueError(
                f'soft label {row} is not a distribution: its probabilities '
                f'sum to {sums[row]}'
            )

    def __len__(self) -> int:
        return len(self.classes)

    def read(self, row: int) -> np.ndarray:
        """Return the (K,) float32 distribution of an image."""
        classes, shares = self.classes[row], self.probabilities[row]
        others = self.num_classes - len(classes)
        rest = max(0.0, 1.0 - float(shares.sum(dtype=np.float64)))
        found = np.full(
            self.num_classes, rest / others if others else 0.0, np.float32
        )
        found[classes] = shares
        return found


def make_soft_labels(
    manifest: Manifest, probabilities: np.ndarray, top: int
) -> SoftLabels:
    """Keep the most probable classes of each image.

    Args:
        manifest: M images.
        probabilities: (M, K) distributions.
        top: Classes T to keep, >= 1; at most K.
    """
    if top < 1:
        raise ValueError(f'top must be >= 1, got {top}')
    count = min(top, probabilities.shape[1])
    # Equal probabilities: the first class.
    order = np.argsort(-probabilities, axis=1, kind='stable')[:, :count]
    return SoftLabels(
        order.astype(np.int32),
        np.take_along_axis(probabilities, order, 1).astype(np.float32),
        probabilities.shape[1],
        hash_images(manifest),
    )


def hash_images(manifest: Manifest) -> str:
    """Return a hash of the images of a manifest and their order."""
    return hash_content(
        {
            'class_names': list(manifest.class_names),
            'keys': list(manifest.key),
            'class_id': manifest.class_id.tolist(),
        }
    )


def save_soft_labels(path: str | Path, labels: SoftLabels) -> None:
    """Write soft labels, atomically."""
    write_arrays(
        path,
        classes=labels.classes,
        probabilities=labels.probabilities,
        num_classes=np.array(labels.num_classes),
        images=np.array(labels.images),
    )


def load_soft_labels(path: str | Path, manifest: Manifest) -> SoftLabels:
    """Read the soft labels of a manifest.

    Raises:
        ValueError: If there is no such file, it is broken, or it belongs to
            other images; names the command that writes it.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(
            f'there are no soft labels {path}: a manifest has the '
            f'probability of one class only. Write them with python '
            f'{MADE_BY} {path.parent} --store STORE, or train with another '
            f'--recipe'
        )
    names = ('classes', 'probabilities', 'num_classes', 'images')
    found = read_arrays(path, names, made_by=MADE_BY)
    labels = SoftLabels(
        found['classes'],
        found['probabilities'],
        int(found['num_classes']),
        str(found['images']),
    )
    if labels.images != hash_images(manifest):
        raise ValueError(
            f'the soft labels {path} belong to another retrieval than its '
            f'manifest; write them again with python {MADE_BY} '
            f'{path.parent} --store STORE'
        )
    return labels
