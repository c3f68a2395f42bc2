"""LDAM: a larger margin for rarer classes; DRW: later, a larger weight."""

import torch
import torch.nn.functional as F

from ltvl_mm.models.losses.hard_label_loss import HardLabelLoss
from ltvl_mm.models.losses.loss_arguments import average
from ltvl_mm.registry import MODELS


@MODELS.register_module()
class LDAMLoss(HardLabelLoss):
    """Cross-entropy with z_y lowered by a margin ~ n_y^(-1/4).

    m_j = max_margin n_j^(-1/4) / max_k n_k^(-1/4), in units of the cosine;
    the head's logits are scale * cosine (``CosineClsHead``). Deferred
    re-weighting (DRW) is a second loss of this kind with ``beta``, to which
    mmpretrain's SwitchRecipeHook switches. Source: Cao et al. 2019 (arXiv
    1906.07413), Eq. 12 to 14 and Algorithm 1; weights after Cui et al. 2019.

    Args:
        num_classes: K.
        max_margin: Margin of the rarest class.
        scale: The head's.
        beta: In [0, 1), 0.9999 in the papers: class j weighs (1 - beta) /
            (1 - beta^n_j), scaled to mean 1 over the images of a batch, of all
            processes; None for equal weights.
        loss_weight: Factor on the loss.

    Raises:
        ValueError: If beta lies outside [0, 1).
    """

    def __init__(
        self,
        num_classes: int,
        *,
        max_margin: float = 0.5,
        scale: float = 30.0,
        beta: float | None = None,
        loss_weight: float = 1.0,
    ) -> None:
        if beta is not None and not 0 <= beta < 1:
            raise ValueError(f'beta must lie in [0, 1), got {beta}')
        super().__init__(num_classes, loss_weight=loss_weight)
        self.max_margin = max_margin
        self.scale = scale
        self.beta = beta

    def compute_losses(
        self,
        logits: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return the (N,) losses of the images, before sample weights.

        Args:
            logits: (N, K) float32.
            target: (N,) class indices.
            weight: (N,) sample weights, over which class weights have mean
                1; None for 1.
        """
        self.check_class_counts()
        own = F.one_hot(target, logits.shape[1])
        margins = self.scale * self.max_margin * self._margins()
        losses = F.cross_entropy(
            logits - own * margins, target, reduction='none'
        )
        if self.beta is None:
            return losses
        class_weights = self._weights()[target]
        return losses * class_weights / average(class_weights, weight)

    def _margins(self) -> torch.Tensor:
        """Return (K,) shares of the largest margin."""
        # A class without images is never a target.
        roots = self.class_counts.clamp(min=1).float() ** -0.25
        return roots / roots[self.class_counts > 0].max()

    def _weights(self) -> torch.Tensor:
        """Return the (K,) class weights of deferred re-weighting."""
        counts = self.class_counts.double()
        seen = counts > 0
        weights = seen / (1 - self.beta ** counts.clamp(min=1))
        return (weights * seen.sum() / weights.sum()).float()
