"""LADE: balanced softmax, and logits regularized toward density ratios."""

import math

import torch
import torch.nn.functional as F

from ltvl_mm.models.losses.contrastive_loss import gather_with_gradient
from ltvl_mm.models.losses.hard_label_loss import HardLabelLoss
from ltvl_mm.models.losses.loss_arguments import clamp_weight
from ltvl_mm.registry import MODELS


def compute_density_loss(
    logits: torch.Tensor,
    target: torch.Tensor,
    log_prior: torch.Tensor,
    penalty: float,
    weight: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the LADE regularizer of a batch.

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
        weight: (N,) sample weights >= 0; None for 1. An image of weight 2
            counts as two images.
    """
    count, classes = logits.shape
    if weight is None:
        weight = logits.new_ones(count)
    own = F.one_hot(target, classes) * weight[:, None]  # (N, K)
    mass = own.sum(0)
    mean = (own * logits).sum(0) / mass.where(mass > 0, 1.0)
    positive = clamp_weight(weight)
    ratios = logits - log_prior - math.log(classes)
    bound = torch.logsumexp(ratios + positive.log()[:, None], 0)
    bound = bound - positive.sum().log()
    # An absent class has weight 0, but log pi = ABSENT would blow up T_c.
    gain = mean - bound - penalty * bound**2
    return -(log_prior.exp() * gain).sum()


@MODELS.register_module()
class LADELoss(HardLabelLoss):
    """L = CE(z + log pi, y) + alpha L_LADE.

    Predict with plain z, or with z + log q for a known test prior q. The
    regularizer is of the batch of all processes, which must be equally large.
    Labels must be hard, since it is a statistic of the images of each class.
    Source: Hong et al. 2021 (arXiv 2012.00321).

    Args:
        num_classes: K.
        alpha: Weight of the regularizer; ImageNet-LT 0.05, Places-LT 0.005.
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
        super().__init__(num_classes, loss_weight=loss_weight)
        self.alpha = alpha
        self.penalty = penalty

    def compute_losses(
        self,
        logits: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return the (N,) losses of (N, K) logits.

        Every image has the regularizer of its batch in its loss, so that the
        mean over images is the loss of the paper.
        """
        log_prior = self.log_prior()
        density = compute_density_loss(
            gather_with_gradient(logits),
            gather_with_gradient(target),
            log_prior,
            self.penalty,
            None if weight is None else gather_with_gradient(weight.float()),
        )
        losses = F.cross_entropy(logits + log_prior, target, reduction='none')
        return losses + self.alpha * density
