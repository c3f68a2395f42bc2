"""Base class of losses per image that depend on class counts."""

from abc import abstractmethod

import torch

from ltvl_mm.models.losses.class_prior import ClassPrior
from ltvl_mm.models.losses.loss_arguments import check_weight, reduce_losses


class PerImageLoss(ClassPrior):
    """Base class of losses per image, reduced as those of mmpretrain.

    Subclasses implement ``compute_losses``, for hard or soft labels.

    Args:
        num_classes: Number of classes K.
        loss_weight: Weight of the loss; default 1.
    """

    def __init__(self, num_classes: int, *, loss_weight: float = 1.0) -> None:
        super().__init__(num_classes)
        self.loss_weight = loss_weight

    def forward(
        self,
        cls_score: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None = None,
        *,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
    ) -> torch.Tensor:
        """Return the loss of a batch, reduced as mmpretrain's losses are.

        Args:
            cls_score: Logits, as ``compute_losses`` takes them.
            target: (N,) class indices; or (N, K) soft labels, which some
                losses refuse.
            weight: (N,) sample weights; None for 1.
            avg_factor: Divisor of the sum of the losses; None for N.
            reduction_override: ``'none'``, ``'mean'`` or ``'sum'``; None for
                ``'mean'``.

        Raises:
            ValueError: If labels are soft and the loss needs one class per
                image, or logits, weights or reduction are wrong.
        """
        self.check_target(target)
        check_weight(weight, len(target), self)
        losses = self.compute_losses(cls_score.float(), target, weight)
        return self.loss_weight * reduce_losses(
            losses,
            weight,
            avg_factor=avg_factor,
            reduction_override=reduction_override,
            owner=self,
        )

    def check_target(self, target: torch.Tensor) -> None:
        """Raise ValueError if the loss cannot use the labels of a batch.

        Args:
            target: (N,) class indices, or (N, K) soft labels.
        """

    @abstractmethod
    def compute_losses(
        self,
        logits: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return the (N,) losses of the images, before sample weights.

        Args:
            logits: Float32 logits.
            target: (N,) class indices, or (N, K) soft labels.
            weight: (N,) sample weights, for means over the batch; None for 1.
        """
