"""A folder with the features of a data set's images, view by view.

``view_0.npy``, ``view_1.npy``, ... hold (N, D) float32 each, row i for image
i of the list, not normalized; a view is one pass of the data set through its
pipeline. ``settings.json`` says what they were made from.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ltvl_mm.structures.classification_dataset import ClassificationDataset
from ltvl_mm.utils.io import (
    atomic_write,
    check_or_write_settings,
    hash_content,
    hash_file,
    read_json,
)


@dataclass(frozen=True)
class FeatureSource:
    """Hashes of all inputs of features; equal sources give equal features.

    Args:
        weights: Hash of the encoder's checkpoint file and settings.
        pipeline: Hash of transforms and normalization.
        images: Hash of the list: paths and labels, in order.
    """

    weights: str
    pipeline: str
    images: str

    @property
    def fingerprint(self) -> str:
        """Return one hash of all."""
        return hash_content(asdict(self))


@dataclass(frozen=True)
class FeatureCache:
    """Cached features of a data set; :func:`open_cache` opens one.

    Args:
        root: Folder of the cache.
        source: Fingerprints of the encoder, pipeline and list of images.
        views: V memory-mapped (N, D) float32 arrays, one per pass of the data
            set through its pipeline.
    """

    root: Path
    source: FeatureSource
    views: tuple[np.ndarray, ...]

    def check_source(self, source: FeatureSource) -> None:
        """Raise ValueError unless the cache was made from ``source``."""
        for name, ours in asdict(source).items():
            theirs = getattr(self.source, name)
            if ours != theirs:
                raise ValueError(
                    f'the feature cache {self.root} was made with other '
                    f'{name} (fingerprint {theirs[:12]}, this run has '
                    f'{ours[:12]}); make it again with '
                    f'tools/cache_features.py'
                )


def find_trained_weights(backbone: Mapping) -> str:
    """Return the file of a backbone's weights.

    Args:
        backbone: Config of the encoder.

    Raises:
        ValueError: If its ``pretrained`` is not a file.
    """
    file = backbone.get('pretrained')
    if not file:
        raise ValueError(
            f'features are cached of a trained encoder, but '
            f'backbone.pretrained is {file!r}; give the checkpoint of phase A'
        )
    if not Path(file).is_file():
        raise ValueError(
            f'features are cached of a trained encoder, but '
            f'backbone.pretrained={str(file)!r} does not exist or is not a '
            f'file; train phase A first, or give the path of its checkpoint'
        )
    return str(file)


def describe_source(
    backbone: Mapping,
    preprocessor: Mapping,
    dataset: Mapping,
    images: ClassificationDataset,
) -> FeatureSource:
    """Fingerprint configs and the files they name.

    Args:
        backbone: Config of the encoder; its ``pretrained`` is a file.
        preprocessor: Config of the data preprocessor.
        dataset: Config of the data set; all ``pipeline`` in it count.
        images: Data set that is built from ``dataset``.

    Raises:
        ValueError: If ``pretrained`` is not a file.
    """
    checkpoint = find_trained_weights(backbone)
    settings = {k: v for k, v in backbone.items() if k != 'pretrained'}
    return FeatureSource(
        weights=hash_content([hash_file(checkpoint), settings]),
        pipeline=hash_content([preprocessor, _find_pipelines(dataset)]),
        images=hash_content(
            [
                [str(info.get('img_path')), int(info['gt_label'])]
                for info in map(images.get_data_info, range(len(images)))
            ]
        ),
    )


def begin_cache(root: Path, source: FeatureSource, seed: int) -> None:
    """Start a cache, or go on with one begun in the same way.

    Raises:
        ValueError: If it was begun from another source or with another seed.
    """
    check_or_write_settings(
        root, {'format': 1, 'seed': seed, **asdict(source)}
    )


def has_view(root: Path, number: int) -> bool:
    """Return whether an earlier run finished the view."""
    return _locate_view(root, number).exists()


def write_view(root: Path, number: int, features: np.ndarray) -> None:
    """Write the features of one augmented view to a cache, atomically.

    Args:
        root: Folder of the cache.
        number: Index of the view, from 0.
        features: (N, D) features of the N images.

    Raises:
        ValueError: If a feature is not finite.
    """
    wrong = np.flatnonzero(~np.isfinite(features).all(1))
    if len(wrong):
        raise ValueError(
            f'view {number}: the features of image {wrong[0]} are not finite'
        )
    with atomic_write(_locate_view(root, number)) as file:
        np.save(file, features.astype(np.float32), allow_pickle=False)


def open_cache(root: str | Path, views: int | None = None) -> FeatureCache:
    """Open the views of a folder.

    Args:
        root: The folder.
        views: Take the first so many; None for all there are.

    Raises:
        ValueError: If a view is missing, or views differ in shape.
    """
    root = Path(root)
    count = sum(1 for _ in root.glob('view_*.npy')) if views is None else views
    missing = [n for n in range(count) if not has_view(root, n)]
    if not count or missing:
        raise ValueError(
            f'view {missing[0] if missing else 0} is missing from the '
            f'feature cache {root}; make or finish it with '
            f'tools/cache_features.py'
        )
    settings = read_json(root / 'settings.json')
    source = FeatureSource(
        *(settings[name] for name in ('weights', 'pipeline', 'images'))
    )
    arrays = tuple(
        np.load(_locate_view(root, n), mmap_mode='r', allow_pickle=False)
        for n in range(count)
    )
    if any(array.shape != arrays[0].shape for array in arrays):
        raise ValueError(
            f'the views of {root} differ in shape: '
            f'{[array.shape for array in arrays]}'
        )
    return FeatureCache(root, source, arrays)


def _locate_view(root: Path, number: int) -> Path:
    return root / f'view_{number}.npy'


def _find_pipelines(config: object) -> list:
    """Return every ``pipeline`` in a config of a data set or wrapper."""
    if isinstance(config, Mapping):
        own = [config['pipeline']] if 'pipeline' in config else []
        children = [v for k, v in config.items() if k != 'pipeline']
        return own + [p for child in children for p in _find_pipelines(child)]
    if isinstance(config, (list, tuple)):
        return [p for child in config for p in _find_pipelines(child)]
    return []
