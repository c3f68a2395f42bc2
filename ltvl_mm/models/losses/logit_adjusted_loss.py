"""Cross-entropy of logits to which the log prior of the classes is added."""

import torch
import torch.nn.functional as F

from ltvl_mm.models.losses.class_prior import ClassPrior
from ltvl_mm.models.losses.loss_arguments import reduce_losses
from ltvl_mm.registry import MODELS


@MODELS.register_module()
class LogitAdjustedLoss(ClassPrior):
    """L = CE(z + tau log pi, y), pi the classes' shares of the images.

    With tau = 1, balanced softmax. Predict with plain z: the loss has then
    taught it to answer as if classes were equally frequent. Sources: Menon et
    al. 2021, Eq. 10; Ren et al. 2020 (arXiv 2007.10740), Eq. 4.

    Args:
        num_classes: K.
        tau: Strength of the adjustment, >= 0; 0 is plain cross-entropy.
        loss_weight: Factor on the loss.

    Raises:
        ValueError: If tau is negative.
    """

    def __init__(
        self, num_classes: int, *, tau: float = 1.0, loss_weight: float = 1.0
    ) -> None:
        if tau < 0:
            raise ValueError(f'tau must be >= 0, got {tau}')
        super().__init__(num_classes)
        self.tau = tau
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
            cls_score: (N, K) logits.
            target: (N,) class indices, or (N, K) soft labels.
            weight: (N,) sample weights; None for 1.
            avg_factor: Divisor of the sum of the losses; None for N.
            reduction_override: ``'none'``, ``'mean'`` or ``'sum'``; None for
                ``'mean'``.
        """
        logits = cls_score.float() + self.tau * self.log_prior()
        loss = F.cross_entropy(logits, target, reduction='none')
        return self.loss_weight * reduce_losses(
            loss,
            weight,
            avg_factor=avg_factor,
            reduction_override=reduction_override,
            owner=self,
        )
