"""Random crops whose minimum size grows over the epochs."""

import math
from collections.abc import Callable

import torch
from mmpretrain.datasets.transforms import RandomResizedCrop

from ltvl_mm.registry import TRANSFORMS

# Name -> s(t), from 0 to 1 for t from 0 to 1.
SCHEDULES: dict[str, Callable[[float], float]] = {
    'convex': lambda t: 1 - math.sqrt(1 - t * t),
    'linear': lambda t: t,
    'concave': lambda t: math.sqrt(1 - (1 - t) ** 2),
    'min': lambda _: 0.0,
    'max': lambda _: 1.0,
}


def compute_min_scale(
    epoch: int, epochs: int, *, schedule: str = 'convex', start: float = 0.08
) -> float:
    """Return the minimum area of a crop as a share of the image.

    start + s(t) (1 - start) with t = epoch / (epochs - 1).

    Args:
        epoch: Epoch, in [0, epochs).
        epochs: Epochs of the training, >= 1; a single one has t = 0.
        schedule: One of SCHEDULES.
        start: Minimum at s = 0, in (0, 1].

    Raises:
        ValueError: If the epoch lies outside the training.
    """
    if not 0 <= epoch < epochs:
        raise ValueError(f'epoch must be in [0, {epochs}), got {epoch}')
    share = epoch / max(epochs - 1, 1)
    return start + SCHEDULES[schedule](share) * (1 - start)


@TRANSFORMS.register_module()
class MinimalistCrop(RandomResizedCrop):
    """RandomResizedCrop whose minimum size grows to the whole image.

    The first epochs see crops of all sizes and the last one nearly whole
    images, as at test time. ``ltvl_mm.TransformEpochHook`` passes the epochs.
    Source: "minimalist data augmentation" of LIFT+, Shi et al. 2025 (arXiv
    2504.13282), and its code: this crop alone, without a flip.

    Args:
        scale: Side of the output in pixels, or (height, width).
        schedule: ``'convex'`` (default), ``'linear'``, ``'concave'``, or
            ``'min'`` or ``'max'`` for constant 0 or 1.
        start: Minimum area of a crop in the first epoch, in (0, 1].
        kwargs: Arguments of mmpretrain's RandomResizedCrop except
            ``crop_ratio_range``.

    Raises:
        ValueError: If the schedule is unknown, ``start`` lies outside (0, 1],
            or, at the first image, no hook has passed an epoch.
    """

    def __init__(
        self,
        scale: int | tuple[int, int],
        *,
        schedule: str = 'convex',
        start: float = 0.08,
        **kwargs: object,
    ) -> None:
        if schedule not in SCHEDULES:
            raise ValueError(
                f'schedule must be one of {", ".join(SCHEDULES)}, got '
                f'{schedule!r}'
            )
        if not 0 < start <= 1:
            raise ValueError(f'start must lie in (0, 1], got {start}')
        super().__init__(scale, crop_ratio_range=(start, 1.0), **kwargs)
        self.schedule = schedule
        self.start = start
        # Shared with data-loader workers, also with those that live on.
        self._min_scale = torch.zeros((), dtype=torch.float64).share_memory_()

    def set_epoch(self, epoch: int, epochs: int) -> None:
        """Set the epoch, in [0, epochs), of the crops to come."""
        self._min_scale.fill_(
            compute_min_scale(
                epoch, epochs, schedule=self.schedule, start=self.start
            )
        )

    def transform(self, results: dict) -> dict:
        """Return the results with the resized crop as ``img``."""
        low = self._min_scale.item()
        if not low:
            raise ValueError(
                'MinimalistCrop does not know the epoch; add '
                "dict(type='ltvl_mm.TransformEpochHook') to custom_hooks"
            )
        self.crop_ratio_range = (low, 1.0)
        return super().transform(results)
