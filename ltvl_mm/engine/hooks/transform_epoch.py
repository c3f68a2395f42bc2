"""Hook that passes the epoch to the transforms of the training data."""

from collections.abc import Iterator
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from ltvl_mm.registry import HOOKS
from ltvl_mm.utils.pipelines import list_innermost


@HOOKS.register_module()
class TransformEpochHook(Hook):
    """Call ``set_epoch(epoch, epochs)`` of transforms that have it.

    For transforms that change over a training, such as
    ``ltvl_mm.MinimalistCrop``.

    Raises:
        ValueError: At the start, if the training is not by epochs, or no
            transform has ``set_epoch``.
    """

    # After SwitchRecipeHook has put a new pipeline in place.
    priority = 'LOW'

    def before_train(self, runner: Runner) -> None:
        """Check loop and transforms."""
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise ValueError(
                f'TransformEpochHook needs a training by epochs, got '
                f'{type(runner.train_loop).__name__}; set train_cfg=dict('
                f'by_epoch=True, max_epochs=...)'
            )
        dataset = runner.train_loop.dataloader.dataset
        if not any(True for _ in _find_transforms(dataset)):
            raise ValueError(
                'TransformEpochHook finds no transform with set_epoch in the '
                'training pipeline; remove the hook, or put '
                'ltvl_mm.MinimalistCrop there'
            )

    def before_train_epoch(self, runner: Runner) -> None:
        """Pass the epoch; mmengine starts the workers right after this."""
        for transform in _find_transforms(
            runner.train_loop.dataloader.dataset
        ):
            transform.set_epoch(runner.epoch, runner.max_epochs)


def _find_transforms(dataset: object) -> Iterator[Any]:
    """Yield the transforms with ``set_epoch``, inside wrappers and nested."""
    for part in list_innermost(dataset):
        pipeline = getattr(part, 'pipeline', None)
        yield from _walk(getattr(pipeline, 'transforms', ()))


def _walk(transforms: object) -> Iterator[Any]:
    """Yield those with ``set_epoch`` of nested lists of transforms."""
    if isinstance(transforms, (list, tuple)):
        for one in transforms:
            yield from _walk(one)
    elif hasattr(transforms, 'set_epoch'):
        yield transforms
    elif hasattr(transforms, 'transforms'):
        yield from _walk(transforms.transforms)
