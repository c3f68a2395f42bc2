"""Losses learn the images per class from what is trained on."""

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ltvl_mm.registry import HOOKS
from ltvl_mm.structures.labels import read_labels


@HOOKS.register_module()
class ClassCountsHook(Hook):
    """Tell every loss that asks how many images each class has.

    Counted in the training data set as it is wrapped: with retrieved images,
    target and retrieved together. (``ShotAccuracy`` groups classes by the
    original list in any case.)
    """

    # After SwitchRecipeHook has put a new loss in place.
    priority = 'LOW'

    def before_train(self, runner: Runner) -> None:
        """Count, and tell the losses.

        Raises:
            ValueError: If a label lies outside the data set's classes, or a
                loss is for another number of classes.
        """
        dataset = runner.train_loop.dataloader.dataset
        names = dataset.metainfo.get('classes')
        labels = read_labels(dataset)
        counts = np.bincount(labels, minlength=len(names or ()))
        self._counts = torch.from_numpy(counts)
        self.before_train_epoch(runner)

    def before_train_epoch(self, runner: Runner) -> None:
        """Tell the losses again: one may be new."""
        device = next(runner.model.parameters()).device
        for module in runner.model.modules():
            if hasattr(module, 'set_class_counts'):
                module.to(device)
                module.set_class_counts(self._counts)
