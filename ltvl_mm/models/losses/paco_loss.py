"""Parametric contrastive loss: classes' centers among the contrasted."""

import math

import torch
import torch.nn.functional as F

from ltvl_mm.models.losses.class_prior import ClassPrior
from ltvl_mm.registry import MODELS


def compute_paco_loss(
    logits: torch.Tensor,
    queries: torch.Tensor,
    keys: torch.Tensor,
    target: torch.Tensor,
    key_labels: torch.Tensor,
    *,
    temperature: float,
    alpha: float = 0.05,
    beta: float = 1.0,
    gamma: float = 1.0,
) -> torch.Tensor:
    """Return the mean over images of -sum_m w_m log p_m / sum_m w_m.

    What image i is contrasted with: the K classes by its logits, which weigh
    beta (its own class) in the numerator; and the keys by cosine /
    temperature, which weigh alpha (those of its class) there and gamma in the
    denominator. An image is not a key of itself. (GPaCo has two views of an
    image here, as if they were two.) Source: PaCo, Cui et al. 2021 (arXiv
    2107.12028), Eq. 3 to 5, and its code for gamma.

    Args:
        logits: (N, K), adjusted by the log prior of the classes.
        queries: (N, D) of unit norm.
        keys: (M, D) of unit norm; the first N are the queries themselves.
        target: (N,) classes.
        key_labels: (M,) classes of the keys; -1 where there is none.
        temperature: Temperature of the keys, > 0.
        alpha: Weight of keys of the image's class.
        beta: Weight of the center of its class.
        gamma: Weight of keys among all, > 0.
    """
    classes = logits.shape[1]
    cosines = queries @ keys.T / temperature
    absent = (key_labels < 0).expand_as(cosines).clone()
    absent.fill_diagonal_(True)
    cosines = cosines.masked_fill(absent, -torch.inf)
    total = torch.logsumexp(
        torch.cat([logits, cosines + math.log(gamma)], 1), 1, keepdim=True
    )
    log_shares = torch.cat([logits, cosines], 1) - total
    alike = (key_labels == target[:, None]) & ~absent
    weights = torch.cat(
        [
            beta * F.one_hot(target, classes).to(logits.dtype),
            alpha * alike.to(logits.dtype),
        ],
        1,
    )
    # Not a product: 0 times -inf is NaN.
    chosen = torch.where(weights > 0, log_shares, 0.0)
    return -((weights * chosen).sum(1) / weights.sum(1)).mean()


@MODELS.register_module()
class PaCoLoss(ClassPrior):
    """The loss of ``PaCoClassifier`` and ``GPaCoClassifier``; the head's.

    Args:
        num_classes: K.
        temperature: 0.2; for PaCo with ResNeXt-50 on ImageNet-LT 0.07.
        alpha: Weight alpha of :func:`compute_paco_loss`.
        beta: Weight beta of :func:`compute_paco_loss`.
        gamma: Weight gamma of :func:`compute_paco_loss`.
        loss_weight: Factor on the loss.

    Raises:
        ValueError: If temperature or gamma is not positive.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        temperature: float = 0.2,
        alpha: float = 0.05,
        beta: float = 1.0,
        gamma: float = 1.0,
        loss_weight: float = 1.0,
    ) -> None:
        for name, value in (('temperature', temperature), ('gamma', gamma)):
            if not value > 0:
                raise ValueError(f'{name} must be > 0, got {value}')
        super().__init__(num_classes)
        self.options = {
            'temperature': temperature,
            'alpha': alpha,
            'beta': beta,
            'gamma': gamma,
        }
        self.loss_weight = loss_weight

    def forward(
        self,
        logits: torch.Tensor,
        queries: torch.Tensor,
        keys: torch.Tensor,
        target: torch.Tensor,
        key_labels: torch.Tensor,
    ) -> torch.Tensor:
        """Return the loss; for arguments see :func:`compute_paco_loss`."""
        loss = compute_paco_loss(
            logits.float() + self.log_prior(),
            queries,
            keys,
            target,
            key_labels,
            **self.options,
        )
        return self.loss_weight * loss
