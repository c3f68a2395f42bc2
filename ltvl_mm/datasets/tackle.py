"""Target data set and retrieved images as one training set."""

import copy
import operator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset, Compose, force_full_init
from mmengine.registry import DefaultScope

from ltvl_mm.datasets.image_files import check_first_images
from ltvl_mm.datasets.origin_mixin import OriginMixin
from ltvl_mm.datasets.retrieved import RetrievedDataset
from ltvl_mm.datasets.subset import SubsetMixin
from ltvl_mm.registry import DATASETS
from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.structures.classification_dataset import ClassificationDataset
from ltvl_mm.structures.labels import read_labels
from ltvl_mm.structures.soft_labels import FILE, load_soft_labels
from ltvl_mm.utils.pipelines import find_pipeline, list_innermost
from ltvl_mm.utils.remote_paths import as_path


@DATASETS.register_module()
class TACKLEDataset(OriginMixin, SubsetMixin, BaseDataset):
    """Classification data set of mmpretrain plus the retrieved images.

    Source: {D_T, D_1, ..., D_K} of section 2.3 of the TACKLE paper. The
    target's samples come first, in their order, then the manifest's. Every
    sample keeps its origin: ``get_data_info(i)['origin']`` and
    ``data_samples.origin`` are ``'target'`` or ``'retrieved'``; the latter
    have their ``data_samples.retrieval_score``, too, and, if the manifest has
    it, their ``data_samples.probability`` p_k.

    Args:
        dataset: The target: a config, or an instance, which is used and not
            changed. May be a wrapper such as RepeatDataset.
        manifest: A manifest file of ``tools/retrieve.py``.
        image_root: Folder of the retrieved images; None for the manifest's.
        pipeline: Transforms of the retrieved images; None takes the
            target's, which then must load from ``img_path``.
        class_names: The names that the manifest was made with, when the
            target spells its classes differently; None takes the target's.
        min_probability: Minimum p_k of a retrieved image, in [0, 1]; see
            :class:`.RetrievedDataset`. Default 0 keeps all.
        soft_labels: File of ``tools/analysis_tools/label_retrieved.py``, or
            True for ``soft_labels.npz`` beside the manifest: retrieved images
            then have CLIP's distribution as ``gt_score``, and target images
            their class. False (default): all have a class.
        lazy_init: Leave reading annotations to ``full_init``; a target given
            as a config must know the argument (KFoldDataset does not).

    Raises:
        ValueError: If the manifest was made with other classes, a label lies
            outside [0, K), the first images of a part do not exist, or no
            pipeline can be found.
    """

    def __init__(
        self,
        dataset: ClassificationDataset | dict,
        manifest: str,
        *,
        image_root: str | None = None,
        pipeline: Sequence[dict] | None = None,
        class_names: str | Sequence[str] | None = None,
        min_probability: float = 0.0,
        soft_labels: bool | str = False,
        lazy_init: bool = False,
    ) -> None:
        target: Any = dataset
        if isinstance(dataset, dict):
            target = DATASETS.build(
                {**dataset, 'lazy_init': True} if lazy_init else dataset
            )
        elif not hasattr(dataset, 'get_data_info'):
            raise ValueError(
                f'dataset must be a config or a data set of mmengine, got '
                f'{type(dataset)}'
            )
        self.dataset: ClassificationDataset = target
        self._metainfo = self.dataset.metainfo
        names = self._metainfo.get('classes')
        if names is None:
            raise ValueError(
                'the target data set does not name its classes; give it '
                'classes= (a list, or a file with one name per line)'
            )
        if class_names is not None and len(
            load_class_names(class_names)
        ) != len(names):
            raise ValueError(
                f'class_names has {len(load_class_names(class_names))} '
                f'names, but the target data set has {len(names)} classes'
            )
        if pipeline is None:
            try:
                transforms = find_pipeline(target)
            except ValueError as error:
                raise ValueError(
                    f'{error}; pass pipeline= for the retrieved images'
                ) from None
        else:
            transforms = list(pipeline)
        self.retrieved = RetrievedDataset(
            manifest,
            image_root=image_root,
            classes=class_names or names,
            pipeline=transforms,
            min_probability=min_probability,
            lazy_init=True,
        )
        self._soft_labels = (
            load_soft_labels(
                as_path(manifest).with_name(FILE)
                if soft_labels is True
                else soft_labels,
                self.retrieved.manifest,
            )
            if soft_labels
            else None
        )
        self._own_pipeline = pipeline is not None
        self._fully_initialized = False
        if not lazy_init:
            self.full_init()

    @classmethod
    def from_retrieval(
        cls,
        dataset: ClassificationDataset | dict,
        retrieved: str | Path,
        *,
        pipeline: Sequence[dict] | None = None,
        class_names: str | Sequence[str] | None = None,
        min_probability: float = 0.0,
        soft_labels: bool | str = False,
    ) -> 'TACKLEDataset':
        """Join a data set and what :func:`ltvl_mm.retrieve` has written.

        Args:
            dataset: The target: an instance, or a config, which is built in
                mmpretrain's scope, as in a config file.
            retrieved: The folder, or its manifest.
            pipeline: Transforms of the retrieved images; None (default)
                takes the target's.
            class_names: Names that the retrieval was made with; None
                (default) takes the target's.
            min_probability: Minimum p_k of a retrieved image, in [0, 1];
                default 0.
            soft_labels: Labels of CLIP for retrieved images; default False.

        Raises:
            ValueError: As the class, or if the retrieval is not finished.

        Examples:
            >>> from ltvl_mm.datasets import TACKLEDataset
            >>> target = dict(
            ...     type='CustomDataset',
            ...     data_root='target',
            ...     ann_file='train.txt',
            ...     classes='class_names.txt',
            ...     pipeline=[
            ...         dict(type='LoadImageFromFile'),
            ...         dict(type='PackInputs'),
            ...     ],
            ... )
            >>> dataset = TACKLEDataset.from_retrieval(target, 'retrieved')
            >>> len(dataset) - len(dataset.retrieved)
            6
        """
        manifest = as_path(retrieved)
        if manifest.is_dir():
            manifest = manifest / 'manifest.parquet'
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            return cls(
                dataset,
                str(manifest),
                pipeline=pipeline,
                class_names=class_names,
                min_probability=min_probability,
                soft_labels=soft_labels,
            )

    @property
    def metainfo(self) -> dict:
        """Meta information of the target."""
        return copy.deepcopy(self._metainfo)

    @property
    def CLASSES(self) -> Sequence[str]:
        """Class names of the target."""
        return self._metainfo['classes']

    @property
    def pipeline(self) -> Compose:
        """Transforms of all samples; set, it changes those of both parts.

        mmpretrain's SwitchRecipeHook and browse_dataset read it.

        Raises:
            AttributeError: If retrieved images have transforms of their own.
        """
        if self._own_pipeline:
            raise AttributeError('the parts have pipelines of their own')
        return self.retrieved.pipeline

    @pipeline.setter
    def pipeline(self, pipeline: Compose) -> None:
        for part in (*list_innermost(self.dataset), self.retrieved):
            part.pipeline = pipeline
        self._own_pipeline = False

    def full_init(self) -> None:
        """Read the annotations of both parts and check the labels."""
        if self._fully_initialized:
            return
        self.dataset.full_init()
        self.retrieved.full_init()
        self._target_size = len(self.dataset)
        self._labels = np.concatenate(
            [
                read_labels(self.dataset, len(self.CLASSES)),
                self.retrieved.get_gt_labels(),
            ]
        )
        if not self._own_pipeline and 'img_path' not in (
            self.dataset.get_data_info(0)
        ):
            raise ValueError(
                "the target's samples have no img_path, so its transforms "
                'cannot load retrieved images; pass pipeline='
            )
        check_first_images(self.dataset, 'the target data set')
        self._fully_initialized = True

    @force_full_init
    def __len__(self) -> int:
        return len(self._labels if self._rows is None else self._rows)

    def __getitem__(self, idx: int) -> dict:
        self.full_init()
        dataset, inner = self._locate(idx)
        data = dataset[inner]
        if isinstance(data, dict) and 'data_samples' in data:
            sample = data['data_samples']
            # set_metainfo would copy the numbers deeply, in 3 us.
            origin = self._name_origin(dataset)
            sample.set_field(origin, 'origin', field_type='metainfo')
            if dataset is self.retrieved:
                for name, value in dataset.describe_score(inner).items():
                    sample.set_field(value, name, field_type='metainfo')
            place = operator.index(idx)
            if place < 0:
                place += len(self)
            if getattr(sample, 'sample_idx', None) != place:
                sample.set_field(place, 'sample_idx', field_type='metainfo')
            if self._soft_labels is not None:
                score = self._read_soft_label(dataset, inner, idx)
                sample.set_gt_score(score)
        return data

    @force_full_init
    def get_data_info(self, idx: int) -> dict:
        """Return the annotation of sample ``idx``, with its ``origin``."""
        dataset, inner = self._locate(idx)
        return {
            **dataset.get_data_info(inner),
            'sample_idx': operator.index(idx) % len(self),
            'origin': self._name_origin(dataset),
        }

    def _read_soft_label(
        self, dataset: object, inner: int, idx: int
    ) -> np.ndarray:
        """Return the (K,) float32 label of sample ``inner`` of a part."""
        if dataset is self.retrieved and self._soft_labels is not None:
            return self._soft_labels.read(self.retrieved.data_list[inner])
        one_hot = np.zeros(len(self.CLASSES), np.float32)
        one_hot[self.get_cat_ids(idx)[0]] = 1
        return one_hot

    def __repr__(self) -> str:
        lines = [f'Dataset {type(self).__name__}']
        if self._fully_initialized:
            target = self._target_size
            if self._rows is not None:
                target = int((self._rows < target).sum())
            lines.append(
                f'    {target} target + {len(self) - target} '
                f'retrieved samples, {len(self.CLASSES)} classes'
            )
        else:
            lines.append("    Haven't been initialized")
        for part in (self.dataset, self.retrieved):
            lines += [f'    {line}' for line in repr(part).splitlines()]
        return '\n'.join(lines)
