"""Heads that begin with the mean features of the classes."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from ltvl_mm.engine.feature_extraction import compute_class_means
from ltvl_mm.registry import HOOKS


@HOOKS.register_module()
class ClassMeansHook(Hook):
    """Initialize a head with the mean features of the classes.

    They are the means of what the model, as its weights are then, makes of
    the training set with its wrappers: with retrieved images, of target and
    retrieved together. They become the centroids of ``MemoryClsHead`` (OLTR),
    or the class vectors of ``CosineClsHead``. The latter is the class mean
    initialization of LIFT+, Shi et al. 2025 (arXiv 2504.13282), for backbones
    without a text tower; its code takes at most 100 images of a class. A
    resumed run keeps what its checkpoint has.

    Args:
        max_per_class: Maximum images per class, drawn with the seed of the
            config; None (default) for all.

    Raises:
        ValueError: If ``max_per_class`` is below 1.
    """

    def __init__(self, max_per_class: int | None = None) -> None:
        if max_per_class is not None and max_per_class < 1:
            raise ValueError(
                f'max_per_class must be >= 1, got {max_per_class}'
            )
        self.max_per_class = max_per_class

    def before_train(self, runner: Runner) -> None:
        """Set the means, if they are not set yet.

        Raises:
            ValueError: If the head takes none, or a class has no training
                image.
        """
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        head = model.head
        if not hasattr(head, 'set_class_means'):
            raise ValueError(
                f'ClassMeansHook is for ltvl_mm.MemoryClsHead and '
                f'ltvl_mm.CosineClsHead, got {type(head).__name__}'
            )
        if _is_set(head, runner):
            return
        means = compute_class_means(
            model,
            runner.cfg,
            num_classes=head.num_classes,
            width=head.in_channels,
            max_per_class=self.max_per_class,
        )
        head.set_class_means(means)


def _is_set(head: nn.Module, runner: Runner) -> bool:
    if hasattr(head, 'has_centroids'):
        return head.has_centroids()
    return runner.iter > 0  # resumed
