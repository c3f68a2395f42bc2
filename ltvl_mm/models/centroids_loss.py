"""Features near the centroid of their class, and far from the others."""

import torch


def compute_centroids_loss(
    feats: torch.Tensor,
    target: torch.Tensor,
    centroids: torch.Tensor,
    *,
    margin: float = 10.0,
    repulsion: float = 0.01,
) -> torch.Tensor:
    """Return attraction + repulsion * max(0, margin - separation).

    Attraction is sum_i |f_i - c_{y_i}|^2 / (2 N), separation is
    sum_i sum_{k != y_i} |f_i - c_k|^2 / (N K). The attraction moves features
    by its gradient, but centroid k by sum_{i: y_i = k} (c_k - f_i) /
    (N (1 + n_k)), n_k being the images of its class in the batch: a frequent
    class learns no faster. Source: OLTR, Liu et al. 2019 (arXiv 1904.05160),
    section 3, and its code for the numbers; the gradient as in the center
    loss, Wen et al. 2016, Eq. 4.

    Args:
        feats: (N, F), not normalised.
        target: (N,) classes, in [0, K).
        centroids: (K, F).
        margin: Squared distance beyond which nothing is pushed away.
        repulsion: Factor on what is pushed away.
    """
    feats, centroids = feats.float(), centroids.float()
    own = centroids[target]
    sizes = torch.bincount(target, minlength=len(centroids))[target]
    drawn = (feats - own.detach()).square().sum() / 2
    follow = (feats.detach() - own).square().sum(1) / (2 * (1 + sizes))
    # Whoever follows adds a gradient and no value.
    attraction = (drawn + (follow - follow.detach()).sum()) / len(feats)
    squared = torch.cdist(feats, centroids).square()
    others = squared.scatter(1, target[:, None], 0.0)
    return attraction + repulsion * (margin - others.mean()).clamp(min=0)
