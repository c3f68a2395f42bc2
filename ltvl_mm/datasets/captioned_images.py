"""Captioned images in tars and folders as an mmpretrain data set."""

from collections.abc import Sequence

import numpy as np
from mmengine.dataset import force_full_init
from mmengine.logging import print_log
from mmpretrain.datasets import BaseDataset

from ltvl_mm.datasets.subset import select_samples
from ltvl_mm.registry import DATASETS
from ltvl_mm.structures.caption_index import load_caption_index

# Neighbors that are tried in place of an image that cannot be loaded.
_TRIES = 100


@DATASETS.register_module()
class CaptionedImages(BaseDataset):
    """Images and captions, read from tars by byte range.

    A sample's info holds ``img_path`` (the tar or image file),
    ``byte_range`` (first byte and number of bytes, for
    :class:`ltvl_mm.LoadImage`), ``caption`` and ``key``. An image that cannot
    be loaded is reported, by key and once per worker, and the next one is
    taken.

    Args:
        index: Folder of ``tools/dataset_converters/index_captions.py``.
        indices: Samples to keep: the first n, the last -n, or a list; None
            for all.
        serialize_data: Has no effect: rows are columns of the index, which
            data-loader workers share in any case.
        kwargs: Further arguments of mmpretrain's BaseDataset, e.g.
            ``pipeline``.

    Raises:
        ValueError: If the index is missing, damaged or empty.
    """

    _fully_initialized: bool

    def __init__(
        self,
        index: str,
        *,
        indices: int | Sequence[int] | None = None,
        serialize_data: bool = True,
        **kwargs: object,
    ) -> None:
        self.index = load_caption_index(index)
        self._unreadable: set[int] = set()
        super().__init__(
            ann_file=str(index),
            indices=indices,
            serialize_data=False,
            **kwargs,
        )

    def full_init(self) -> None:
        """Choose the rows of the index."""
        if not self._fully_initialized:
            count = len(self.index)
            chosen = count if self._indices is None else self._indices
            self.data_list = select_samples(count, chosen)
            self._fully_initialized = True

    @force_full_init
    def get_data_info(self, idx: int) -> dict:
        """Return the annotation of sample ``idx``."""
        idx = range(len(self))[idx]  # counts from the end if negative
        row, rows = int(self.data_list[idx]), self.index
        return {
            'img_path': rows.sources[int(rows.source[row])],
            'byte_range': (int(rows.offset[row]), int(rows.size[row])),
            'caption': rows.caption[row],
            'key': rows.key[row],
            'sample_idx': idx,
        }

    @force_full_init
    def get_subset_(self, indices: int | Sequence[int]) -> None:
        """Keep the given samples only; see :func:`.select_samples`."""
        self.data_list = self.data_list[select_samples(len(self), indices)]
        self._unreadable = set()

    @force_full_init
    def get_subset(self, indices: int | Sequence[int]) -> 'CaptionedImages':
        """Return a data set of the given samples; it shares the index."""
        subset = self._copy_without_annotation()
        subset.data_list = np.array(self.data_list)
        subset.get_subset_(indices)
        return subset

    def prepare_data(self, idx: int) -> dict:
        """Load sample ``idx``, or the next that loads.

        Raises:
            RuntimeError: If none of the next images can be loaded.
        """
        error: Exception | None = None
        for step in range(min(_TRIES, len(self))):
            place = (idx + step) % len(self)
            if place in self._unreadable:
                continue
            try:
                data = super().prepare_data(place)
            # What a broken file raises is up to decoder and transforms.
            except Exception as reason:  # noqa: BLE001
                data, error = None, reason
            if data is not None:
                return data
            self._report(place, error)
        raise RuntimeError(
            f'none of the {min(_TRIES, len(self))} images from sample {idx} '
            f'of {self.ann_file} on can be loaded; have the tars moved or '
            f'changed? Then index them again. The last error: {error!r}'
        ) from error

    def _report(self, idx: int, error: Exception | None) -> None:
        self._unreadable.add(idx)
        info = self.get_data_info(idx)
        print_log(
            f'captioned image {info["key"]!r} ({info["img_path"]}) cannot be '
            f'loaded and is replaced by the next: {error!r}',
            'current',
            level=30,
        )

    def extra_repr(self) -> list[str]:
        """Describe the source for ``repr``."""
        return [f'Caption index: \t{self.ann_file}']
