"""Hook that passes per-class training counts to losses."""

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ltvl_mm.registry import HOOKS
from ltvl_mm.structures.classification_dataset import ClassificationDataset
from ltvl_mm.structures.labels import read_labels
from ltvl_mm.structures.origins import read_origins, read_probabilities

COUNTED = ('all', 'probability', 'none')


def count_images(
    dataset: ClassificationDataset, retrieved: str = 'all'
) -> np.ndarray:
    """Return the (K,) float64 images per class of a training data set.

    Args:
        dataset: Data set with K ``classes``.
        retrieved: Weight of retrieved images in the counts: ``'all'``, as
            target images; ``'probability'``, as their probability p_k;
            ``'none'``, not.

    Raises:
        ValueError: If a label lies outside [0, K), or probabilities are
            wanted and the manifest has none.
    """
    if retrieved == 'probability':
        weights = read_probabilities(dataset)
    elif retrieved == 'none':
        weights = 1.0 - read_origins(dataset)
    else:
        weights = None
    names = dataset.metainfo.get('classes') or ()
    return np.bincount(
        read_labels(dataset), weights=weights, minlength=len(names)
    ).astype(np.float64)


@HOOKS.register_module()
class ClassCountsHook(Hook):
    """Hook that passes per-class training counts to the losses.

    It calls ``set_class_counts`` of every module that has it. Images are
    counted in the training data set with its wrappers, target and retrieved
    images together. (``ShotAccuracy`` groups classes by the original list.)

    Args:
        retrieved: Weight of a retrieved image in the counts: ``'all'``
            (default) for 1, as of a target image; ``'probability'`` for its
            probability p_k; ``'none'`` for 0.
        target_from: First epoch, from 0, in which training uses target images
            only (see ``RetrievedShareSampler``), so that retrieved images no
            longer count. None (default) for no such epoch.

    Raises:
        ValueError: If ``retrieved`` is none of these.
    """

    # After SwitchRecipeHook has put a new loss in place.
    priority = 'LOW'

    def __init__(
        self, *, retrieved: str = 'all', target_from: int | None = None
    ) -> None:
        if retrieved not in COUNTED:
            raise ValueError(
                f'retrieved must be one of {", ".join(COUNTED)}, got '
                f'{retrieved!r}'
            )
        self.retrieved = retrieved
        self.target_from = target_from

    def before_train(self, runner: Runner) -> None:
        """Count the images of each class, and pass the counts to the losses.

        Raises:
            ValueError: If a label lies outside the data set's classes, or a
                loss is for another number of classes.
        """
        dataset = runner.train_loop.dataloader.dataset
        self._counts = count_images(dataset, self.retrieved)
        self._target_counts = (
            None if self.target_from is None else count_images(dataset, 'none')
        )
        self.before_train_epoch(runner)

    def before_train_epoch(self, runner: Runner) -> None:
        """Pass the counts again, because a loss may have been replaced."""
        counts = self._counts
        if self.target_from is not None and runner.epoch >= self.target_from:
            counts = self._target_counts
        device = next(runner.model.parameters()).device
        for module in runner.model.modules():
            if hasattr(module, 'set_class_counts'):
                module.to(device)
                module.set_class_counts(torch.from_numpy(counts))
