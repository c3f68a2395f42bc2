"""Cross-entropy of logits to which the log prior of the classes is added."""

import math

import torch
import torch.nn.functional as F

from ltvl_mm.models.losses.per_image_loss import PerImageLoss
from ltvl_mm.registry import MODELS


@MODELS.register_module()
class LogitAdjustedLoss(PerImageLoss):
    """L = CE(z + tau log pi, y), pi the classes' shares of the images.

    With tau = 1, balanced softmax. Predict with plain z: the loss has then
    taught it to answer as if classes were equally frequent. Sources: Menon et
    al. 2021, Eq. 10; Ren et al. 2020 (arXiv 2007.10740), Eq. 4.

    Args:
        num_classes: K.
        tau: Strength of the adjustment, >= 0; 0 is plain cross-entropy.
        loss_weight: Factor on the loss.

    Raises:
        ValueError: If tau is negative or not finite.
    """

    def __init__(
        self, num_classes: int, *, tau: float = 1.0, loss_weight: float = 1.0
    ) -> None:
        super().__init__(num_classes, loss_weight=loss_weight)
        if not 0 <= tau < math.inf:
            raise ValueError(f'tau must be a finite number >= 0, got {tau}')
        self.tau = tau

    def compute_losses(
        self,
        logits: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return the (N,) losses of (N, K) logits."""
        shifted = logits + self.tau * self.log_prior()
        return F.cross_entropy(shifted, target, reduction='none')
