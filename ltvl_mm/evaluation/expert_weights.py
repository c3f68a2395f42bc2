"""How much each expert counts on test images whose classes nobody knows."""

import numpy as np
import torch
import torch.nn.functional as F

from ltvl_mm.utils.rng import make_generator

# Below this share an expert is lost, and learning stops.
LOWEST = 0.05


def learn_expert_weights(
    logits: np.ndarray,
    *,
    epochs: int = 5,
    rate: float = 0.1,
    batch_size: int = 128,
    seed: int = 0,
) -> np.ndarray:
    """Return (E,) shares with which two views of an image agree most.

    Maximises the cosine of softmax(sum_e w_e z_e) of the two views, w =
    softmax(a), by SGD on a from equal shares. No label is looked at. Source:
    TADE, Zhang et al. 2021 (arXiv 2107.09249), section 4.2, Eq. 5.

    Args:
        logits: (2, N, E, K): two random views of the test images.
        epochs: Over the images.
        rate: Learning rate of SGD with momentum 0.9. The authors' configs
            have 0.025 on ImageNet-LT, 0.01 on Places-LT and 0.2 on
            iNaturalist 2018, for logits that are computed anew in each step.
        batch_size: Images of a step.
        seed: Of the order of the images.

    Raises:
        ValueError: If there are not two views.
    """
    if logits.ndim != 4 or logits.shape[0] != 2:
        raise ValueError(
            f'logits must be of shape (2, N, E, K), got {logits.shape}'
        )
    views = torch.from_numpy(logits).float()
    scores = torch.zeros(views.shape[2], requires_grad=True)
    optimizer = torch.optim.SGD([scores], lr=rate, momentum=0.9)
    for epoch in range(epochs):
        order = make_generator(seed, epoch).permutation(views.shape[1])
        for start in range(0, len(order), batch_size):
            some = views[:, order[start : start + batch_size]]
            shares = scores.softmax(0)
            first, second = (
                torch.einsum('nek,e->nk', view, shares).softmax(1)
                for view in some
            )
            loss = -F.cosine_similarity(first, second).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if scores.softmax(0).min() < LOWEST:
            break
    return scores.softmax(0).detach().numpy()


def mix_experts(logits: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the (N, K) sum over experts of (N, E, K) logits by share."""
    return np.einsum('nek,e->nk', logits, shares)
