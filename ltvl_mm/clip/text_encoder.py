"""Texts and class names to features of the joint space."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint

# Of a class list that is encoded without gradients.
TEXTS_AT_A_TIME = 256

# A second piece costs a second round of kernel launches.
_SPLIT_IF_BELOW = 0.75


def encode_classes(
    tower: nn.Module,
    tokens: torch.Tensor,
    *,
    chunk_size: int | None = None,
    progress: Callable[[int], object] = lambda texts: None,
) -> torch.Tensor:
    """Average the prompts of each class, as CLIP's prompt ensemble does.

    Each prompt's feature is L2-normalized, then the mean over the class's
    prompts is. Source: Radford et al. 2021, section 3.1.4.

    Args:
        tower: Text tower of an open_clip model.
        tokens: (K, P, L) of
            :func:`ltvl_mm.clip.tokenization.tokenize_classes`, or some of
            its rows.
        chunk_size: Number of prompts per batch; see :func:`encode_tokens`.
        progress: Progress callback; see :func:`encode_tokens`.

    Returns:
        (K, D) L2-normalized, in float32, on the tower's device.
    """
    # Rows of zeros fill up the prompts of a class. They are not encoded:
    # towers that mask padding return NaN for them.
    is_prompt = tokens.any(-1)  # (K, P)
    encoded = encode_tokens(
        tower, tokens[is_prompt], chunk_size=chunk_size, progress=progress
    )
    encoded = F.normalize(encoded.float(), dim=-1)
    features = encoded.new_zeros(*tokens.shape[:2], encoded.shape[-1])
    features[is_prompt.to(encoded.device)] = encoded  # (K, P, D)
    return F.normalize(features.sum(1), dim=-1)


def encode_texts(
    tower: nn.Module, tokens: torch.Tensor, *, chunk_size: int | None = None
) -> torch.Tensor:
    """Encode (B, L) tokens, equal rows once, to (B, D), L2-normalized.

    Args:
        tower: Text tower of an open_clip model.
        tokens: (B, L) token ids on the CPU.
        chunk_size: Number of prompts per batch; see :func:`encode_tokens`.
    """
    unique, place = torch.unique(tokens, dim=0, return_inverse=True)
    features = encode_tokens(tower, unique, chunk_size=chunk_size)
    features = F.normalize(features.float(), dim=-1)
    return features[place.to(features.device)]


def encode_tokens(
    tower: nn.Module,
    tokens: torch.Tensor,
    *,
    chunk_size: int | None = None,
    progress: Callable[[int], object] = lambda texts: None,
) -> torch.Tensor:
    """Encode texts without the padding, where that changes nothing.

    In a causal tower a token sees only those before it, and the feature is
    that of the end-of-text token: the padding after it has no influence.
    Texts are therefore sorted by length and cut to the longest one of their
    piece. Other towers get all L tokens.

    Args:
        tower: Text tower of an open_clip model.
        tokens: (N, L) token ids on the CPU.
        chunk_size: Texts of a piece. With gradients, the activations of a
            piece are recomputed in the backward pass instead of kept, so
            that memory does not grow with N. None keeps all, in one or two
            pieces.
        progress: Is told how many texts of a piece are done.

    Returns:
        (N, D) not normalized, on the tower's device.

    Raises:
        ValueError: If the chunk size is below 1.
    """
    lengths = _count_read_tokens(tower, tokens)
    order = torch.argsort(lengths, stable=True)
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f'chunk_size must be >= 1, got {chunk_size}')
    pieces = order.split(
        _split_by_length(lengths[order]) if chunk_size is None else chunk_size
    )
    device = next(tower.parameters()).device
    features = []
    for piece in pieces:
        ids = tokens[piece, : int(lengths[piece].max())].to(device)
        if chunk_size is not None and torch.is_grad_enabled():
            features.append(
                checkpoint(_run_tower, tower, ids, use_reentrant=False)
            )
        else:
            features.append(_run_tower(tower, ids))
        progress(len(piece))
    return torch.cat(features)[torch.argsort(order).to(device)]


def _run_tower(tower: nn.Module, ids: torch.Tensor) -> torch.Tensor:
    """Run the tower on (n, l) tokens, l at most its context length.

    open_clip applies its (L, L) mask unchanged: pass the corner of it.
    """
    if not _is_causal(tower):
        return tower(ids)
    length = ids.shape[1]
    mask = tower.attn_mask[:length, :length]
    return functional_call(tower, {'attn_mask': mask}, (ids,))


def _count_read_tokens(tower: nn.Module, tokens: torch.Tensor) -> torch.Tensor:
    """Return (N,): the tokens up to the one whose feature is the text's."""
    if not _is_causal(tower):
        return torch.full((len(tokens),), tokens.shape[1])
    if tower.pool_type == 'eos':
        tokens = (tokens == tower.eos_id).int()
    return tokens.argmax(-1) + 1


def _is_causal(tower: nn.Module) -> bool:
    """Return whether tokens after the pooled one have no influence."""
    return (
        getattr(tower, 'attn_mask', None) is not None
        and tower.pool_type in ('argmax', 'eos')
        and tower.cls_emb is None
        and not tower.use_pad_mask
    )


def _split_by_length(lengths: torch.Tensor) -> list[int]:
    """Return the sizes of two pieces with the fewest tokens, or of one.

    One long name among a thousand would otherwise double the work: of
    ImageNet's prompts the mean has 9 tokens and the longest 18.

    Args:
        lengths: (N,) ascending.
    """
    total, longest = len(lengths), int(lengths[-1])
    sizes = torch.arange(1, total + 1)
    costs = sizes * lengths + (total - sizes) * longest
    if costs.min() > _SPLIT_IF_BELOW * total * longest:
        return [total]
    best = int(costs.argmin()) + 1
    return [best, total - best]
