"""Images to classes, with any model of the project."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, default_collate
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmpretrain import ImageClassificationInferencer
from mmpretrain.models import ImageClassifier
from mmpretrain.structures import DataSample

from ltvl_mm.apis.clip_inputs import check_clip_inputs
from ltvl_mm.apis.image_loading import ImageLike, list_inputs, load_image
from ltvl_mm.apis.input_size import make_resizer
from ltvl_mm.apis.model_hub import get_model, load_weights
from ltvl_mm.apis.open_vocabulary import (
    find_class_names,
    predict_classes,
    takes_class_names,
)
from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.utils.progress import progress_bar


class LongTailInferencer(ImageClassificationInferencer):
    """Say what images show: students, experts, CLIP, BALLAD, ensembles.

    Args:
        model: A name of ``ltvl_mm.list_models()``, a config or its path, or
            a model that :func:`ltvl_mm.get_model` has built.
        pretrained: Weights, as :func:`ltvl_mm.get_model` takes them, e.g. the
            folder of a training. A model that is built already keeps its
            weights unless a checkpoint is named.
        device: Device of the model; None for a GPU if there is one.
        classes: K names, or a file of them; None takes those of the
            text side, of the checkpoint, or of the config's test images.
        kwargs: Changes to the config's model; see :func:`ltvl_mm.get_model`.

    Raises:
        ValueError: As :func:`ltvl_mm.get_model`, or if the config does not
            say how an image becomes an input.

    Examples:
        >>> from ltvl_mm import LongTailInferencer
        >>> infer = LongTailInferencer(
        ...     'configs/toy/clip_zero_shot/clip_zero_shot.py', 'clip.pth'
        ... )
        >>> found = infer(['web/0.png', 'web/1.png'], batch_size=2)
        >>> sorted(found[0])
        ['pred_class', 'pred_label', 'pred_score', 'pred_scores']
        >>> found[0]['pred_scores'].shape
        (96,)

        Classes may be named at the call, where the model has a text side:

        >>> found = infer('web/0.png', class_names=['red disc', 'owl'])
        >>> found[0]['pred_class'] in ('red disc', 'owl')
        True
    """

    def __init__(
        self,
        model: str | Path | Config | BaseModel,
        pretrained: bool | str | Path = True,
        device: str | torch.device | None = None,
        classes: str | Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(model, BaseModel):
            model = get_model(model, pretrained, **kwargs)
        elif not hasattr(model, '_config'):
            raise ValueError(
                f'a {type(model).__name__} without its config cannot infer; '
                f'build it with ltvl_mm.get_model'
            )
        elif not isinstance(pretrained, bool):
            load_weights(model, pretrained)
        check_clip_inputs(model._config)
        super().__init__(
            model,
            pretrained=False,
            device=device or ('cuda' if torch.cuda.is_available() else 'cpu'),
        )
        self._resize = make_resizer(self.config, self.pipeline)
        self.classes = (
            self._find_classes()
            if classes is None
            else load_class_names(classes)
        )

    def __call__(
        self,
        inputs: ImageLike | Sequence[ImageLike],
        return_datasamples: bool = False,
        batch_size: int = 1,
        *,
        class_names: str | Sequence[str] | None = None,
        templates: str | Sequence | None = None,
        return_features: bool = False,
        **kwargs: Any,
    ) -> list[dict] | list[DataSample]:
        """Return what each image shows.

        Images may have any size. Where the config's test pipeline does not
        resize, they are brought to the size of its training images: the short
        side, then a crop of the center.

        Args:
            inputs: Paths, (H, W, 3) uint8 arrays in BGR as mmcv reads them,
                or one of these; paths and arrays may be mixed. Or a folder,
                whose image files are read in the order of their names. An
                empty list gives an empty list and a warning.
            return_datasamples: Return mmpretrain's DataSample of each image.
            batch_size: Images at a time.
            class_names: K' names (or a file of them) to tell apart instead
                of the model's; only for models with a text side. Not for two
                threads at a time.
            templates: Sentences for these names, as ``CLIPContrastiveHead``
                takes them; None keeps the model's.
            return_features: Return what stands before the classifier, too;
                costs a second pass. Not of ensembles. Default False.
            kwargs: Further arguments of mmpretrain's class, e.g. ``show_dir``.

        Returns:
            A dict per image: ``pred_label``; ``pred_class``, if anyone knows
            the names; ``pred_score`` of it; ``pred_scores``, (K,), with sum
            1; ``features``, (F,) float32, if asked for (of a DataSample a
            tensor).

        Raises:
            ValueError: If an input is neither a path nor an array, an image
                cannot be read (names it), a folder has no image, the images
                of a batch become inputs of different size, the model does not
                take ``class_names``, or there are not as many ``classes`` as
                scores.
        """
        if templates is not None and class_names is None:
            raise ValueError('templates= needs class_names=')
        if return_features and not isinstance(self.model, ImageClassifier):
            raise ValueError(
                f'return_features: a {type(self.model).__name__} has several '
                f'feature spaces; ask one of its members'
            )
        visual = self._dispatch_kwargs(**kwargs)[2]
        images, own = list_inputs(inputs), self.classes
        asked = (
            nullcontext(own)
            if class_names is None
            else predict_classes(self.model, class_names, templates=templates)
        )
        # Not mmengine's loop: its bar lives on when an image is bad.
        try:
            with asked as self.classes:
                samples = self._predict(
                    images, batch_size, return_features=return_features
                )
                pictures = self.visualize(images, samples, **visual)
                return self.postprocess(samples, pictures, return_datasamples)
        finally:
            self.classes = own

    @property
    def takes_class_names(self) -> bool:
        """True if a call can name other classes."""
        return takes_class_names(self.model)

    def preprocess(
        self, inputs: Sequence[ImageLike], batch_size: int = 1
    ) -> Iterator[dict]:
        """Yield batches of inputs.

        Raises:
            ValueError: If an image cannot be read; names it. If inputs of a
                batch differ in size.
        """
        steps = [load_image, self._resize, self.pipeline]
        prepare = Compose([step for step in steps if step is not None])
        for start in range(0, len(inputs), batch_size):
            batch = [prepare(i) for i in inputs[start : start + batch_size]]
            try:
                collated = default_collate(batch)
            except RuntimeError as error:
                raise ValueError(
                    f'images of one batch become inputs of different size; '
                    f'ask for batch_size=1: {error}'
                ) from None
            yield collated

    def visualize(
        self,
        ori_inputs: list[ImageLike],
        preds: list[DataSample],
        **settings: Any,
    ) -> list[np.ndarray] | None:
        """Draw predictions on their images, as mmpretrain does.

        Class names are drawn with installed fonts that have their
        characters. A warning lists the characters that no font has.

        Args:
            ori_inputs: N images.
            preds: Their predictions.
            settings: Further arguments of mmpretrain's method.
        """
        shown = settings.get('show') or settings.get('show_dir') is not None
        if not (shown and self.classes):
            return super().visualize(ori_inputs, preds, **settings)
        self._check_count(preds)
        # Imports matplotlib, which only pictures need.
        from ltvl_mm.visualization.fonts import use_fonts

        names = [self.classes[int(sample.pred_label)] for sample in preds]
        with use_fonts(names, str(settings.get('show_dir') or 'picture')):
            return super().visualize(ori_inputs, preds, **settings)

    def postprocess(
        self,
        preds: list[DataSample],
        visualization: list[np.ndarray] | None,
        return_datasamples: bool = False,
    ) -> list[dict] | list[DataSample]:
        """Return a dict of numbers per image.

        Raises:
            ValueError: If there are not as many names as scores.
        """
        self._check_count(preds)
        found = super().postprocess(preds, visualization, return_datasamples)
        if not return_datasamples:
            for row, sample in zip(found, preds, strict=True):
                if 'features' in sample:
                    row['features'] = sample.features.cpu().numpy()
        return found

    def _predict(
        self,
        images: Sequence[ImageLike],
        batch_size: int,
        *,
        return_features: bool,
    ) -> list[DataSample]:
        samples = []
        with progress_bar(
            total=len(images),
            title='infer',
            unit='img',
            silent=len(images) <= batch_size,
        ) as bar:
            for batch in self.preprocess(images, batch_size):
                found = self.forward(batch)
                if return_features:
                    self._add_features(batch, found)
                samples += found
                self._check_count(samples)
                bar.update(len(batch['data_samples']))
        return samples

    @torch.no_grad()
    def _add_features(self, batch: dict, samples: list[DataSample]) -> None:
        """Give each sample what stands before the classifier."""
        images = self.model.data_preprocessor(batch)['inputs']
        found = self.model.extract_feat(images, stage='pre_logits')
        found = found[-1] if isinstance(found, (list, tuple)) else found
        for sample, row in zip(samples, found.float(), strict=True):
            sample.set_field(row, 'features', dtype=torch.Tensor)

    def _check_count(self, preds: list[DataSample]) -> None:
        """Raise ValueError if there are not as many names as scores."""
        scores = len(preds[0].pred_score) if preds else 0
        if preds and self.classes and len(self.classes) != scores:
            raise ValueError(
                f'{len(self.classes)} classes are named, but the model has '
                f'{scores}'
            )

    def _init_pipeline(self, cfg: Config) -> Compose:
        loader = cfg.get('test_dataloader') or {}
        if not loader.get('dataset', {}).get('pipeline'):
            raise ValueError(
                "the config's test_dataloader has no pipeline that makes "
                'inputs of images; take the config that trains from images'
            )
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            return super()._init_pipeline(cfg)

    def _find_classes(self) -> tuple[str, ...] | None:
        known = find_class_names(self.model)
        if known is None:
            known = getattr(self.model, '_dataset_meta', {}).get('classes')
        if known is None:
            known = self.config.test_dataloader.dataset.get('classes')
            if isinstance(known, str) and not Path(known).is_file():
                return None  # who gave the weights gave no data set
        return known and load_class_names(known)
