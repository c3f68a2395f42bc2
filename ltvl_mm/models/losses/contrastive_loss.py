"""The image-text contrastive loss with several positives per row."""

import torch
import torch.distributed as dist
import torch.distributed.nn.functional as dist_functional
import torch.nn.functional as F


def compute_contrastive_loss(
    images: torch.Tensor,
    texts: torch.Tensor,
    groups: torch.Tensor,
    scale: torch.Tensor | float,
    *,
    text_to_image: bool = True,
) -> torch.Tensor:
    """Sum the losses image -> text and text -> image of matched pairs.

    L = L_v->l + L_l->v with, for image i, the mean over its positives j of
    -log softmax_j(scale * v_i u_j); pairs of one group are positives of each
    other. No factor 1/2. Source: BALLAD, section 2.1, Eq. 1 ff.

    Args:
        images: (N, D) L2-normalized image features v.
        texts: (N, D) L2-normalized text features u; row i belongs to image i.
        groups: (N,) integers; equal numbers mean equal text or class.
        scale: 1 / temperature, > 0.
        text_to_image: False leaves out L_l->v, as BALLAD's phase B does.
    """
    logits = scale * images @ texts.t()  # (N, N)
    positive = (groups[:, None] == groups[None, :]).to(logits.dtype)
    positive = positive / positive.sum(1, keepdim=True)  # symmetric mask
    loss = -(positive * F.log_softmax(logits, 1)).sum(1).mean()
    if text_to_image:
        loss = loss - (positive * F.log_softmax(logits.t(), 1)).sum(1).mean()
    return loss


def gather_with_gradient(rows: torch.Tensor) -> torch.Tensor:
    """Join the rows of all processes, in rank order, keeping gradients.

    Every process then holds the whole loss; the gather's backward sums over
    processes what DDP's mean divides by again, so that gradients equal those
    of one process on the joined batch. All must have equally many rows.
    """
    if not (dist.is_available() and dist.is_initialized()):
        return rows
    return torch.cat(dist_functional.all_gather(rows.contiguous()))
