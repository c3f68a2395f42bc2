"""Retrieved images as shown in the report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ltvl_mm.evaluation.retrieval_precision import compute_precision_curve
from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.structures.copy_pictures import CopyPicture, load_copy_pictures
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.utils.io import read_json
from ltvl_mm.visualization.report.part_reader import PartReader
from ltvl_mm.visualization.report.quality import read_quality

_COPIES = 'copies_of_excluded_images'
# Counts that report.json has for each class.
_COUNTS = ('wanted', 'duplicates', _COPIES)


@dataclass(frozen=True)
class Retrieval:
    """Folder of ``tools/retrieve.py``, with the parts that exist.

    Attributes:
        manifest: Manifest of the retrieved images.
        root: The folder.
        report: Content of ``report.json``; {} if it is missing.
        copies: Near-duplicates of test images that were skipped.
        commands: That made it.
        quality: Content of ``quality.json``; {} if it is missing.
        missing: Part -> why it is not here.
    """

    manifest: Manifest
    root: Path
    report: dict
    copies: list[CopyPicture]
    commands: list[dict]
    missing: dict[str, str]
    quality: dict = field(default_factory=dict)

    @property
    def counts(self) -> np.ndarray:
        """(K,) retrieved images."""
        return self.manifest.count_classes()

    @property
    def wanted(self) -> np.ndarray | None:
        """(K,) images that were asked for; None if that is unknown."""
        if 'classes' not in self.report:
            return None
        return np.array([one['wanted'] for one in self.report['classes']])

    def describe_class(self, label: int) -> dict:
        """Return what ``report.json`` says of a class; {} if nothing."""
        classes = self.report.get('classes', [])
        return classes[label] if label < len(classes) else {}


def read_retrieval(manifest: Path) -> Retrieval:
    """Read a manifest and what lies beside it.

    Raises:
        ValueError: If there is no manifest.
    """
    rows, root, reader = load_manifest(manifest), manifest.parent, PartReader()
    classes = len(rows.class_names)
    return Retrieval(
        rows,
        root,
        reader.read(
            'report', lambda: _read_report(root / 'report.json', classes), {}
        ),
        reader.read(
            'near-duplicates', lambda: load_copy_pictures(root, classes), []
        ),
        reader.read_commands(root),
        reader.missing,
        reader.read('quality', lambda: read_quality(root), {}),
    )


def _read_report(file: Path, num_classes: int) -> dict:
    """Return what ``report.json`` holds, with the types that the page needs.

    Raises:
        ValueError: If a value has another type; names file and class.
    """
    report = read_json(file)
    classes = report.get('classes') if isinstance(report, dict) else None
    if not isinstance(classes, list) or len(classes) != num_classes:
        raise ValueError(
            f'{file} is not the report of a retrieval for {num_classes} '
            f'classes, which manifest.parquet has: expected an object with '
            f'an entry per class in the list "classes"'
        )
    _check_count(report, _COPIES, str(file))
    for label, entry in enumerate(classes):
        owner = f'{file}, class {label}'
        if not isinstance(entry, dict):
            raise ValueError(f'{owner}: expected an object, got {entry!r:.80}')
        for name in _COUNTS:
            _check_count(entry, name, owner)
        if 'not_placed' in entry:  # only after place_downloads
            _check_count(entry, 'not_placed', owner)
        reason = entry.get('short_because', 'missing value')
        if 'short_because' not in entry or not (
            reason is None or isinstance(reason, str)
        ):
            raise ValueError(
                f'{owner}: short_because must be text or null, got '
                f'{reason!r:.80}'
            )
    return report


def _check_count(entry: dict, name: str, owner: str) -> None:
    count = entry.get(name)
    if type(count) is not int or not 0 <= count < 2**63:
        raise ValueError(
            f'{owner}: {name} must be a whole number >= 0, got {count!r:.80}'
        )


def find_probabilities(manifest: Manifest) -> np.ndarray | None:
    """Return the (M,) probability of each image for its class, in [0, 1].

    None for scores from which it does not follow.
    """
    if not manifest.has_probabilities:
        return None
    return manifest.compute_probabilities()


def measure_precision(
    manifest: Manifest, truth: Mapping[str, str], group_of_class: np.ndarray
) -> dict[str, np.ndarray]:
    """Return group -> precision curve, where it is known what images show.

    Args:
        manifest: Manifest of the retrieved images.
        truth: Key of an image -> name of the class that it shows, '' for
            none. Images that are not in it are left out.
        group_of_class: (K,) names.
    """
    known = np.array([key in truth for key in manifest.key], bool)
    right = np.array(
        [
            truth.get(key) == manifest.class_names[label]
            for key, label in zip(manifest.key, manifest.class_id, strict=True)
        ],
        bool,
    )
    groups = group_of_class[manifest.class_id]
    curves = {
        name: compute_precision_curve(right[inside], manifest.rank[inside])
        for name in (*GROUPS, 'all')
        if (inside := known & ((groups == name) | (name == 'all'))).any()
    }
    return curves
