"""Features near the centroid of their class, and far from the others."""

import torch


def compute_centroids_loss(
    feats: torch.Tensor,
    target: torch.Tensor,
    centroids: torch.Tensor,
    *,
    margin: float = 10.0,
    repulsion: float = 0.01,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what moves the features, and what has the centroids follow.

    The first is attraction + repulsion * max(0, margin - separation), with
    attraction sum_i |f_i - c_{y_i}|^2 / (2 N), which moves no centroid, and
    separation sum_i sum_{k != y_i} |f_i - c_k|^2 / (N K). The second is 0,
    and its gradient in centroid k is sum_{i: y_i = k} (c_k - f_i) /
    (N (1 + n_k)), n_k being the images of its class in the batch: a frequent
    class learns no faster. Source: OLTR, Liu et al. 2019 (arXiv 1904.05160),
    section 3, and its code for the numbers and for two parts: a weight of the
    loss is on the first alone. The gradient as in the center loss, Wen et al.
    2016, Eq. 4.

    Args:
        feats: (N, F), not normalized.
        target: (N,) classes, in [0, K).
        centroids: (K, F).
        margin: Squared distance beyond which nothing is pushed away.
        repulsion: Factor on what is pushed away.
    """
    feats, centroids = feats.float(), centroids.float()
    own = centroids[target]
    attraction = (feats - own.detach()).square().sum() / (2 * len(feats))
    squared = torch.cdist(feats, centroids).square()
    others = squared.scatter(1, target[:, None], 0.0)
    apart = repulsion * (margin - others.mean()).clamp(min=0)
    sizes = torch.bincount(target, minlength=len(centroids))[target]
    follow = (feats.detach() - own).square().sum(1) / (2 * (1 + sizes))
    follow = follow.sum() / len(feats)
    return attraction + apart, follow - follow.detach()
