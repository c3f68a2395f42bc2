"""Cached features in place of images."""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.dataset import BaseDataset

from ltvl_mm.datasets.feature_batch import FeatureBatch
from ltvl_mm.datasets.subset import SubsetMixin
from ltvl_mm.registry import DATASETS
from ltvl_mm.structures.feature_cache import describe_source, open_cache
from ltvl_mm.structures.labels import read_labels


@DATASETS.register_module()
class CachedFeatures(SubsetMixin, BaseDataset):
    """The features of V views of N images, as V x N samples.

    Sample ``v * N + i`` is view v of image i, so that any sampler that draws
    images evenly draws views evenly, too. With ``IdentityBackbone`` in place
    of the encoder, neck and head train as they would on the images; with
    ``pack_labels`` to collate, a batch never comes apart into samples.

    Args:
        root: Folder of a split that ``tools/cache_features.py`` wrote.
        dataset: Config of the images' data set, pipeline included.
        backbone: Config of the encoder.
        data_preprocessor: Config of its normalization.
        views: Use the first so many; None for all that are there.
        lazy_init: Taken and ignored: to open the cache is cheap.

    Raises:
        ValueError: If the cache is incomplete or was made with other
            weights, another pipeline or other images than those configs
            name.
    """

    def __init__(
        self,
        root: str,
        *,
        dataset: dict,
        backbone: dict,
        data_preprocessor: dict,
        views: int | None = None,
        lazy_init: bool = False,
    ) -> None:
        images = DATASETS.build(dataset)
        self._metainfo = copy.deepcopy(images.metainfo)
        self._labels = read_labels(images)
        self._paths = [
            str(images.get_data_info(row).get('img_path'))
            for row in range(len(self._labels))
        ]
        self.cache = open_cache(root, views)
        self.cache.check_source(
            describe_source(backbone, data_preprocessor, dataset, images)
        )
        rows = len(self.cache.views[0])
        if rows != len(self._labels):
            raise ValueError(
                f'{root} holds features of {rows} images, the data set has '
                f'{len(self._labels)}'
            )

    @property
    def metainfo(self) -> dict:
        """Meta information of the images' data set."""
        return copy.deepcopy(self._metainfo)

    @property
    def CLASSES(self) -> Sequence[str]:
        """Class names of the images' data set."""
        return self._metainfo['classes']

    # Everything is read when it is built; mmengine asks for both.
    _fully_initialized = True

    def full_init(self) -> None:
        """Do nothing: everything is read when it is built."""

    def __len__(self) -> int:
        if self._rows is not None:
            return len(self._rows)
        return len(self.cache.views) * len(self._labels)

    def __getitem__(self, idx: int) -> dict:
        """Return the (D,) features of a sample, its label and path."""
        return self.__getitems__([idx])[0]

    def __getitems__(self, indices: Sequence[int]) -> FeatureBatch:
        """Return samples at once, as torch's loader asks for a batch."""
        view, image = np.divmod(
            [self._find_row(idx) for idx in indices], len(self._labels)
        )
        features = np.empty(
            (len(image), self.cache.views[0].shape[1]), np.float32
        )
        for number, rows in enumerate(self.cache.views):
            here = view == number
            features[here] = rows[image[here]]
        return FeatureBatch(
            torch.from_numpy(features),
            torch.from_numpy(self._labels[image]),
            [self._paths[row] for row in image],
        )

    def get_data_info(self, idx: int) -> dict:
        """Return label, path, view and image of sample ``idx``."""
        view, image = divmod(self._find_row(idx), len(self._labels))
        return {
            'gt_label': int(self._labels[image]),
            'img_path': self._paths[image],
            'view': view,
            'image': image,
            'sample_idx': idx % len(self),
        }

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the class of sample ``idx`` in a list, as mmengine does."""
        return [self.get_data_info(idx)['gt_label']]

    def get_gt_labels(self) -> np.ndarray:
        """Return the (V * N,) labels of all samples."""
        labels = np.tile(self._labels, len(self.cache.views))
        return labels if self._rows is None else labels[self._rows]

    def keep_first_view(self) -> None:
        """Leave one sample per image: its first view."""
        self.get_subset_(np.arange(len(self._labels)))

    def _find_row(self, idx: int) -> int:
        """Return the index among all views of all images."""
        idx = range(len(self))[idx]
        return idx if self._rows is None else int(self._rows[idx])

    def __repr__(self) -> str:
        return (
            f'Dataset CachedFeatures\n'
            f'    {len(self.cache.views)} views of {len(self._labels)} '
            f'images, {self.cache.views[0].shape[1]} wide\n'
            f'    Root: \t{self.cache.root}'
        )
