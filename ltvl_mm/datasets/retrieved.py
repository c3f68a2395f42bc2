"""Images of a manifest as an mmpretrain data set."""

import os
from collections.abc import Sequence

import numpy as np
from mmengine.dataset import Compose, force_full_init
from mmengine.logging import print_log
from mmpretrain.datasets import BaseDataset

from ltvl_mm.datasets.image_files import check_first_images
from ltvl_mm.datasets.probability_log import (
    log_probable_rows,
    warn_of_diluted_weights,
    warn_of_low_yield,
)
from ltvl_mm.datasets.remote_loading import use_load_image
from ltvl_mm.datasets.subset import count_from_start, select_samples
from ltvl_mm.registry import DATASETS
from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.structures.packed_images import PackedImages, load_packed_images
from ltvl_mm.utils.remote_errors import RemoteError
from ltvl_mm.utils.remote_paths import as_path, is_remote


@DATASETS.register_module()
class RetrievedDataset(BaseDataset):
    """Retrieved web images, labeled with the class they were retrieved for.

    A sample's info holds, beside ``img_path`` and ``gt_label``, its
    ``origin`` ('retrieved'), ``key``, ``rank`` and ``score``. An image that
    cannot be loaded is reported, by key and once per worker, and replaced by
    another one of its class: the next that can, the first after the last.

    Args:
        manifest: A manifest file of ``tools/retrieve.py``.
        image_root: Folder that the manifest's files lie in; None for the
            manifest's own. In a remote folder (``s3://...``), images are
            read out of ``images.tar`` by ranges where there is one, and
            loaded with :class:`ltvl_mm.LoadImage`.
        classes: K names (or a file of them) that must be the manifest's;
            None takes the manifest's.
        min_probability: Minimum softmax probability p_k of an image, in
            [0, 1]; images below it are left out, which is logged. Default 0
            keeps all.
        indices: Samples to keep of those: the first n, the last -n, or a
            list; None for all.
        serialize_data: Has no effect: annotations are columns of the
            manifest, which data-loader workers share in any case.
        kwargs: Further arguments of mmpretrain's BaseDataset, e.g.
            ``pipeline``.

    Raises:
        ValueError: If the manifest is missing, broken or empty, was made with
            another class list, or ``image_root`` does not exist; or if no
            image reaches ``min_probability``, or the manifest has no
            probabilities.
    """

    _fully_initialized: bool

    def __init__(
        self,
        manifest: str,
        *,
        image_root: str | None = None,
        classes: str | Sequence[str] | None = None,
        min_probability: float = 0.0,
        indices: int | Sequence[int] | None = None,
        serialize_data: bool = True,
        **kwargs: object,
    ) -> None:
        self.manifest = load_manifest(manifest)
        if not len(self.manifest):
            raise ValueError(
                f'the manifest {manifest} lists no images, so nothing can be '
                f'trained on it. Retrieve again with a larger budget, fewer '
                f'filters (see report.json beside it for what they removed), '
                f'or a larger store'
            )
        self.image_root = as_path(image_root or as_path(manifest).parent)
        if not self.image_root.is_dir():
            raise ValueError(
                f'the image root {self.image_root} of the manifest '
                f'{manifest} does not exist'
            )
        # What precedes the name of a file in its path, separator included.
        self._root = os.path.join(str(self.image_root), '')
        if self.manifest.has_probabilities:
            # Here, so that data-loader workers share them.
            self.manifest.compute_probabilities()
        if classes is not None:
            self.manifest.check_class_names(
                load_class_names(classes),
                f'the class-name file {classes}'
                if isinstance(classes, str)
                else 'the target data set',
            )
        if not 0 <= min_probability <= 1:
            raise ValueError(
                f'min_probability must be in [0, 1], got {min_probability}'
            )
        self.min_probability = min_probability
        self._unreadable: set[int] = set()
        self._was_warned = False
        self._packed: PackedImages | None = None
        super().__init__(
            ann_file=str(manifest),
            classes=self.manifest.class_names,
            indices=indices,
            serialize_data=False,
            **kwargs,
        )

    def full_init(self) -> None:
        """Read the manifest's rows and find a wrong root."""
        if not self._fully_initialized:
            # Rows of the manifest, in place of a list of annotations.
            warn_of_low_yield(self.manifest)
            rows = self._list_probable_rows()
            count = len(rows)
            chosen = count if self._indices is None else self._indices
            self.data_list = rows[select_samples(count, chosen)]
            self._fully_initialized = True
            if is_remote(self.image_root):
                self._packed = load_packed_images(
                    self.image_root, self.manifest
                )
                return
            packed = self.image_root / 'images.tar'
            if packed.exists() and not packed.with_suffix('').exists():
                raise ValueError(
                    f'the images of the manifest {self.ann_file} are packed; '
                    f'unpack them: tar -xf {packed} -C {self.image_root}'
                )
            check_first_images(self, f'the manifest {self.ann_file}')

    def _list_probable_rows(self) -> np.ndarray:
        """Return the rows of the manifest that reach ``min_probability``."""
        if not self.min_probability:
            return np.arange(len(self.manifest))
        probabilities = self.manifest.compute_probabilities()
        rows = np.flatnonzero(probabilities >= self.min_probability)
        if not len(rows):
            raise ValueError(
                f'none of the {len(self.manifest)} images of the manifest '
                f'{self.ann_file} has a probability of at least '
                f'{self.min_probability}; the largest is '
                f'{probabilities.max():.3g}. Give a lower min_probability, '
                f'or check the retrieval with '
                f'tools/analysis_tools/check_retrieval.py'
            )
        log_probable_rows(self.manifest, rows, self.min_probability)
        return rows

    @property
    def pipeline(self) -> Compose:
        """Transforms; those of remote images load with LoadImage."""
        return self._pipeline

    @pipeline.setter
    def pipeline(self, pipeline: Compose) -> None:
        is_far = is_remote(self.image_root)
        self._pipeline = use_load_image(pipeline) if is_far else pipeline

    def get_data_info(self, idx: int) -> dict:
        """Return the annotation of sample ``idx``."""
        self.full_init()
        idx = count_from_start(idx, len(self.data_list))
        row, rows = self.data_list.item(idx), self.manifest
        info = {
            'img_path': self._root + rows.file[row],
            'gt_label': rows.class_id.item(row),
            'origin': 'retrieved',
            'key': rows.key[row],
            'rank': rows.rank.item(row),
            'score': rows.score.item(row),
            'sample_idx': idx,
        }
        if self._packed is not None:
            info['img_path'] = str(self._packed.tar)
            info['byte_range'] = self._packed.get_range(row)
        return info

    @force_full_init
    def get_gt_labels(self) -> np.ndarray:
        """Return the (N,) labels of all samples."""
        return self.manifest.class_id[self.data_list].astype(np.int64)

    def describe_score(self, idx: int) -> dict[str, float]:
        """Return the score of sample ``idx``, and its p_k if there is one."""
        self.full_init()
        row = self.data_list.item(idx)
        found = {'retrieval_score': self.manifest.score.item(row)}
        if self.manifest.has_probabilities:
            found['probability'] = self.manifest.probabilities.item(row)
        return found

    @force_full_init
    def get_probabilities(self) -> np.ndarray:
        """Return the (N,) softmax probabilities p_k of all samples.

        Raises:
            ValueError: If the manifest has none.
        """
        if not (self.min_probability or self._was_warned):
            self._was_warned = True
            warn_of_diluted_weights(self.manifest)
        return self.manifest.compute_probabilities(self.data_list)

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the class of sample ``idx`` in a list."""
        return [int(self.manifest.class_id[self.data_list[idx]])]

    @force_full_init
    def get_subset_(self, indices: int | Sequence[int]) -> None:
        """Keep the given samples only; see :func:`.select_samples`."""
        self.data_list = self.data_list[select_samples(len(self), indices)]
        self._unreadable = set()

    @force_full_init
    def get_subset(self, indices: int | Sequence[int]) -> 'RetrievedDataset':
        """Return a data set of the given samples; it shares the manifest."""
        subset = self._copy_without_annotation()
        subset.data_list = self.data_list
        subset.get_subset_(indices)
        return subset

    def prepare_data(self, idx: int) -> dict:
        """Load sample ``idx``, or the next of its class that loads.

        Raises:
            RuntimeError: If no image of the class can be loaded.
        """
        self.full_init()
        idx = count_from_start(idx, len(self.data_list))
        data, error = self._try_to_load(idx)
        if data is not None:
            return data
        # Only now, because it reads all annotations; broken images are rare.
        labels = self.get_gt_labels()
        classmates = np.flatnonzero(labels == labels[idx])
        turn = np.searchsorted(classmates, idx)
        for place in np.roll(classmates, -turn)[1:].tolist():
            data, reason = self._try_to_load(place)
            if data is not None:
                return data
            error = reason or error
        raise RuntimeError(
            f'none of the {len(classmates)} retrieved images of class '
            f'{labels[idx]} ({self.CLASSES[labels[idx]]!r}) can be loaded; '
            f'the last error: {error!r}'
        ) from error

    def _try_to_load(self, idx: int) -> tuple[dict | None, Exception | None]:
        """Return the data, or None and what went wrong if it is news."""
        if idx in self._unreadable:
            return None, None
        try:
            data, error = super().prepare_data(idx), None
        except RemoteError:  # the next image would fail as well
            raise
        # What a broken file raises is up to decoder and transforms.
        except Exception as reason:  # noqa: BLE001
            data, error = None, reason
        if data is None:
            self._report(idx, error)
        return data, error

    def _report(self, idx: int, error: Exception | None) -> None:
        self._unreadable.add(idx)
        info = self.get_data_info(idx)
        print_log(
            f'retrieved image {info["key"]!r} ({info["img_path"]}) cannot be '
            f'loaded and is replaced by another of its class: {error!r}',
            'current',
            level=30,
        )

    def extra_repr(self) -> list[str]:
        """Describe the source for ``repr``."""
        return [
            f'Manifest: \t{self.ann_file}',
            f'Root of images: \t{self.image_root}',
        ]
