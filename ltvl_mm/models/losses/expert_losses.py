"""Losses that diversify experts: RIDE and TADE."""

import torch
import torch.nn.functional as F

from ltvl_mm.models.losses.ldam_loss import LDAMLoss
from ltvl_mm.models.losses.per_image_loss import PerImageLoss
from ltvl_mm.registry import MODELS


@MODELS.register_module()
class DiverseExpertLoss(PerImageLoss):
    """One expert for each of three class distributions at test.

    CE(z1) + CE(z2 + log pi) + CE(z3 + log pi - tau log pi'), pi' being pi
    with its ranks reversed, those of the classes that there are: for a test
    set as long-tailed as training, for a uniform one, for an inversely
    long-tailed one. Source: TADE, Zhang et al. 2021 (arXiv 2107.09249), Eq. 2
    to 4.

    Args:
        num_classes: K.
        tau: 2 for ImageNet-LT, 1 for Places-LT and iNaturalist.
        loss_weight: Factor on the loss.
    """

    def __init__(
        self, num_classes: int, *, tau: float = 2.0, loss_weight: float = 1.0
    ) -> None:
        super().__init__(num_classes, loss_weight=loss_weight)
        self.tau = tau

    def compute_losses(
        self,
        logits: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return the (N,) losses of (N, 3, K) logits, summed over experts.

        Raises:
            ValueError: If there are not three experts.
        """
        if logits.shape[1] != 3:
            raise ValueError(
                f'DiverseExpertLoss is of 3 experts, got {logits.shape[1]}'
            )
        prior = self.log_prior()
        shifts = (0, prior, prior - self.tau * self._reverse(prior))
        return sum(
            F.cross_entropy(
                logits[:, expert] + shift, target, reduction='none'
            )
            for expert, shift in enumerate(shifts)
        )

    def _reverse(self, prior: torch.Tensor) -> torch.Tensor:
        """Return the (K,) log pi', 0 for a class without a training image."""
        order = prior.argsort()  # absent ones are first
        absent = (self.class_counts == 0).sum()
        ranks = torch.arange(len(prior), device=prior.device)
        mirrored = (len(prior) - 1 + absent - ranks).clamp(max=len(prior) - 1)
        found = torch.empty_like(prior)
        found[order] = prior[order[mirrored]].where(ranks >= absent, 0.0)
        return found


@MODELS.register_module()
class RIDELoss(LDAMLoss):
    """LDAM of each expert, less how far experts are from their mean.

    sum_e [ LDAM(z_e) - diversity T^2 KL(p || p_e) ], p the softmax of the
    mean logits (no gradient), both at temperature T. With DRW (``beta``), T
    is lower for rarer classes: w / max w, w_j = K pi_j spread + 1 - spread.
    Source: RIDE, Wang et al. 2021 (arXiv 2010.01809), section 3, and its code
    for T.

    Args:
        num_classes: K.
        diversity: Weight of the distance, 0.2.
        spread: Spread of the temperatures; 0.02 for ImageNet-LT.
        max_margin: Margin of the rarest class; default 0.5.
        scale: Scale of the head's cosines; default 30.
        beta: In [0, 1), for deferred re-weighting; None (default) for equal
            weights. See :class:`.LDAMLoss`.
        loss_weight: Factor on the loss; default 1.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        diversity: float = 0.2,
        spread: float = 0.02,
        max_margin: float = 0.5,
        scale: float = 30.0,
        beta: float | None = None,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(
            num_classes,
            max_margin=max_margin,
            scale=scale,
            beta=beta,
            loss_weight=loss_weight,
        )
        self.diversity = diversity
        self.spread = spread

    def compute_losses(
        self,
        logits: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return the (N,) losses of (N, E, K) logits, summed over experts."""
        temperature = self._temperatures()
        mean = (logits.mean(1) / temperature).softmax(-1).detach()
        strength = self.diversity * temperature.mean() ** 2
        total = logits.new_zeros(len(logits))
        for own in logits.unbind(1):
            distance = F.kl_div(
                (own / temperature).log_softmax(-1), mean, reduction='none'
            ).sum(1)
            total = (
                total
                + super().compute_losses(own, target, weight)
                - strength * distance
            )
        return total

    def _temperatures(self) -> torch.Tensor:
        """Return (K,) temperatures, all 1 before DRW."""
        prior = self.log_prior().exp()
        if self.beta is None:
            return torch.ones_like(prior)
        weights = len(prior) * prior * self.spread + 1 - self.spread
        return weights / weights.max()
