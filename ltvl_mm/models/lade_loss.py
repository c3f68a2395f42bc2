"""LADE: balanced softmax, and logits regularised towards density ratios."""

import math

import torch
import torch.nn.functional as F

from ltvl_mm.models.class_prior import ClassPrior
from ltvl_mm.models.contrastive_loss import gather_with_gradient
from ltvl_mm.registry import MODELS


def compute_density_loss(
    logits: torch.Tensor,
    target: torch.Tensor,
    log_prior: torch.Tensor,
    penalty: float,
) -> torch.Tensor:
    """Return how far logits are from estimating log-density ratios.

    -sum_c pi_c [ mean_{i: y_i = c} z_ic - T_c - penalty T_c^2 ], with T_c =
    logsumexp_i(z_ic - log pi_c [the class of i] + log 1/K) - log N: the
    Donsker-Varadhan bound, its samples re-weighted from the training prior to
    the uniform one. Source: Hong et al. 2021 (arXiv 2012.00321), Eq. 8-11,
    as their code has it: T_c takes the prior of c, for all i, and a class
    absent from the batch contributes T_c alone.

    Args:
        logits: (N, K) float32, of all processes.
        target: (N,) classes.
        log_prior: (K,) of the training set.
        penalty: lambda, of the square.
    """
    count, classes = logits.shape
    own = F.one_hot(target, classes).to(logits.dtype)
    present = own.sum(0)
    mean = (own * logits).sum(0) / present.clamp(min=1)
    weighted = logits - log_prior - math.log(classes)
    bound = torch.logsumexp(weighted, 0) - math.log(count)
    # An absent class has weight 0, but log pi = ABSENT would blow up T_c.
    gain = mean - bound - penalty * bound**2
    return -(log_prior.exp() * gain).sum()


@MODELS.register_module()
class LADELoss(ClassPrior):
    """L = CE(z + log pi, y) + alpha L_LADE.

    Predict with plain z, or with z + log q for a known test prior q. The
    regulariser is of the batch of all processes, which must be equally large.
    Source: Hong et al. 2021 (arXiv 2012.00321).

    Args:
        num_classes: K.
        alpha: Weight of the regulariser; ImageNet-LT 0.05, Places-LT 0.005.
        penalty: lambda of its square; ImageNet-LT 0.5, Places-LT 0.1.
        loss_weight: Factor on the loss.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        alpha: float = 0.05,
        penalty: float = 0.5,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(num_classes)
        self.alpha = alpha
        self.penalty = penalty
        self.loss_weight = loss_weight

    def forward(
        self,
        cls_score: torch.Tensor,
        target: torch.Tensor,
        **_: object,
    ) -> torch.Tensor:
        """Return the mean loss of (N, K) logits and (N,) classes.

        Raises:
            ValueError: If the labels are soft: of what class a mixed image
                is a sample, the regulariser cannot say.
        """
        if target.ndim != 1:
            raise ValueError(
                f'LADELoss needs one class per image, got labels of shape '
                f'{tuple(target.shape)}; train without MixUp and CutMix'
            )
        logits, log_prior = cls_score.float(), self.log_prior()
        loss = F.cross_entropy(logits + log_prior, target)
        density = compute_density_loss(
            gather_with_gradient(logits),
            gather_with_gradient(target),
            log_prior,
            self.penalty,
        )
        return self.loss_weight * (loss + self.alpha * density)
