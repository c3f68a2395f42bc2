"""Expert weights for test images of unknown class distribution."""

import math
from collections.abc import Iterable

import numpy as np
import torch
import torch.nn.functional as F

from ltvl_mm.utils.rng import make_generator

# An expert whose share is below this after rounding to two decimals is lost,
# and learning stops.
LOWEST = 0.05


def learn_expert_weights(
    epochs: Iterable[np.ndarray],
    *,
    rate: float,
    weight_decay: float = 0.0,
    entropy_weight: float = 0.0,
    batch_size: int = 128,
    seed: int = 0,
) -> np.ndarray:
    """Return (E,) shares with which two views of an image agree most.

    Maximizes the cosine of softmax(sum_e w_e z_e) of the two views, w =
    softmax(a), by SGD with Nesterov momentum 0.9 on a from equal shares. No
    label is looked at. Source: TADE, Zhang et al. 2021 (arXiv 2107.09249),
    section 4.2, Eq. 5; weight decay, entropy and the end at a lost expert are
    those of its code.

    Args:
        epochs: (2, N, E, K) logits of two random views of the test images,
            one array for each pass over them. An iterator may compute an
            array when it is asked for; after the last expert is lost it is
            not asked again.
        rate: Learning rate, > 0.
        weight_decay: Weight decay of the weights a.
        entropy_weight: Factor of the mean over images and classes of
            -p log p, p = softmax(sum_e w_e z_e), which is maximized too.
        batch_size: Images of a step.
        seed: Seed of the order of the images.

    Raises:
        ValueError: If the rate is not a finite number > 0, there is no pass,
            or an array is not of two views.
    """
    if not 0 < rate < math.inf:
        raise ValueError(f'rate must be a finite number > 0, got {rate}')
    scores = None
    for epoch, logits in enumerate(epochs):
        if logits.ndim != 4 or logits.shape[0] != 2:
            raise ValueError(
                f'logits must be of shape (2, N, E, K), got {logits.shape}'
            )
        views = torch.from_numpy(logits).float()
        if scores is None:
            scores = torch.zeros(views.shape[2], requires_grad=True)
            optimizer = torch.optim.SGD(
                [scores],
                lr=rate,
                momentum=0.9,
                nesterov=True,
                weight_decay=weight_decay,
            )
        order = make_generator(seed, epoch).permutation(views.shape[1])
        for start in range(0, len(order), batch_size):
            some = views[:, order[start : start + batch_size]]
            loss = -_score_agreement(some, scores.softmax(0), entropy_weight)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        shares = scores.softmax(0).detach().numpy()
        if shares.round(2).min() < LOWEST:
            break
    if scores is None:
        raise ValueError('epochs must hold at least one pass, got none')
    return shares


def mix_experts(logits: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the (N, K) sum over experts of (N, E, K) logits by share."""
    return np.einsum('nek,e->nk', logits, shares)


def _score_agreement(
    views: torch.Tensor, shares: torch.Tensor, entropy_weight: float
) -> torch.Tensor:
    """Return what TADE maximizes: agreement of two views, and entropy."""
    logs = torch.einsum('vnek,e->vnk', views, shares).log_softmax(-1)
    probs = logs.exp()
    agreement = F.cosine_similarity(probs[0], probs[1], eps=1e-6).mean()
    if not entropy_weight:
        return agreement
    entropy = -(probs * logs).mean((1, 2)).sum()
    return agreement + entropy_weight * entropy
