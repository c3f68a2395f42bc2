"""The images of a manifest as a data set of the host."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.logging import print_log
from mmpretrain.datasets import BaseDataset

from ltvl_mm.datasets.image_files import check_first_images
from ltvl_mm.registry import DATASETS
from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.structures.manifest import load_manifest


@DATASETS.register_module()
class RetrievedDataset(BaseDataset):
    """Retrieved web images, labelled with the class they were retrieved for.

    A sample's info holds, beside ``img_path`` and ``gt_label``, its
    ``origin`` ('retrieved'), ``key``, ``rank`` and ``score``. An image that
    cannot be loaded is reported, by key and once per worker, and replaced by
    another one of its class: the next that can, the first after the last.

    Args:
        manifest: A manifest file of ``tools/retrieve.py``.
        image_root: Folder that the manifest's files lie in; None for the
            manifest's own.
        classes: K names (or a file of them) that must be the manifest's;
            None takes the manifest's.
        kwargs: ``pipeline``, ``lazy_init``, ... of the host's BaseDataset.

    Raises:
        ValueError: If the manifest is missing or broken, was made with
            another class list, or ``image_root`` does not exist.
    """

    def __init__(
        self,
        manifest: str,
        *,
        image_root: str | None = None,
        classes: str | Sequence[str] | None = None,
        **kwargs: object,
    ) -> None:
        self.manifest = load_manifest(manifest)
        self.image_root = Path(image_root or Path(manifest).parent)
        if not self.image_root.is_dir():
            raise ValueError(
                f'the image root {self.image_root} of the manifest '
                f'{manifest} does not exist'
            )
        if classes is not None:
            self.manifest.check_class_names(
                load_class_names(classes), 'the data set'
            )
        self._unreadable: set[int] = set()
        super().__init__(
            ann_file=str(manifest), classes=self.manifest.class_names, **kwargs
        )

    def full_init(self) -> None:
        """Read the manifest's rows and find a wrong root."""
        if not self._fully_initialized:
            super().full_init()
            packed = self.image_root / 'images.tar'
            if packed.exists() and not packed.with_suffix('').exists():
                raise ValueError(
                    f'the images of the manifest {self.ann_file} are packed; '
                    f'unpack them: tar -xf {packed} -C {self.image_root}'
                )
            check_first_images(self, f'the manifest {self.ann_file}')

    def load_data_list(self) -> list[dict]:
        """Return one info per row of the manifest, in its order."""
        rows = self.manifest
        return [
            {
                'img_path': str(self.image_root / file),
                'gt_label': int(label),
                'origin': 'retrieved',
                'key': key,
                'rank': int(rank),
                'score': float(score),
            }
            for file, label, key, rank, score in zip(
                rows.file,
                rows.class_id,
                rows.key,
                rows.rank,
                rows.score,
                strict=True,
            )
        ]

    def prepare_data(self, idx: int) -> dict:
        """Load sample ``idx``, or the next of its class that loads.

        Raises:
            RuntimeError: If no image of the class can be loaded.
        """
        idx = range(len(self))[idx]  # counts from the end if negative
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
