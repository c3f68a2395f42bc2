"""A head that remembers classes begins with their mean features."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from ltvl_mm.engine.feature_extraction import compute_class_means
from ltvl_mm.registry import HOOKS


@HOOKS.register_module()
class ClassMeansHook(Hook):
    """Set the centroids of ``MemoryClsHead`` before training.

    To the means of what the model, as its weights are then, makes of the
    training set with its wrappers: with retrieved images, of target and
    retrieved together. Centroids that a checkpoint brought stay, so that a
    resumed run continues with them.
    """

    def before_train(self, runner: Runner) -> None:
        """Set them, if they are not yet.

        Raises:
            ValueError: If the head takes none, or a class has no training
                image.
        """
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        head = model.head
        if not hasattr(head, 'set_centroids'):
            raise ValueError(
                f'ClassMeansHook is for a head that remembers centroids, such '
                f'as ltvl_mm.MemoryClsHead, got {type(head).__name__}'
            )
        if not head.has_centroids():
            means = compute_class_means(
                model,
                runner.cfg,
                num_classes=head.num_classes,
                width=head.in_channels,
            )
            head.set_centroids(means)
