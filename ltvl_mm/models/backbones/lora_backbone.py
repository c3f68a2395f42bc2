"""A frozen backbone whose weights get a trained change of low rank: LoRA."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import nn
from torch.nn.utils import parametrize

from ltvl_mm.models.backbones.frozen_backbone import FrozenBackbone
from ltvl_mm.registry import MODELS


class LowRankChange(nn.Module):
    """W -> W + B A / r for some blocks of a weight's rows; A and B train.

    B starts at zero, so that nothing changes at first, and A as in LIFT's
    code, uniformly within 1 / sqrt(r).

    Args:
        weight: The (O, I) matrix W.
        rank: r, at least 1.
        changed: For each of equally high blocks of rows, whether it changes.

    Raises:
        ValueError: If the rank is below 1.
    """

    def __init__(
        self, weight: torch.Tensor, rank: int, changed: Sequence[bool]
    ) -> None:
        if rank < 1:
            raise ValueError(f'rank must be at least 1, got {rank}')
        super().__init__()
        self.rank = rank
        self.changed = tuple(changed)
        height, blocks = len(weight) // len(self.changed), sum(self.changed)
        self.a = nn.Parameter(torch.empty(blocks, rank, weight.shape[1]))
        self.b = nn.Parameter(torch.zeros(blocks, height, rank))
        nn.init.uniform_(self.a, -(rank**-0.5), rank**-0.5)

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Map (O, I) to (O, I)."""
        changes = iter(self.b @ self.a / self.rank)  # (blocks, height, I)
        return torch.cat(
            [
                block + next(changes) if change else block
                for block, change in zip(
                    weight.chunk(len(self.changed)), self.changed, strict=True
                )
            ]
        )


@MODELS.register_module()
class LoRABackbone(FrozenBackbone):
    r"""Train changes of low rank of weights that stay as they are.

    Source: LoRA (Hu et al. 2022, arXiv 2106.09685), as LIFT's code (Shi et
    al. 2024, arXiv 2309.10019) has it: queries and values of an attention,
    scaled by 1 / rank.

    Args:
        backbone: Config of the backbone; see ``FrozenBackbone``.
        targets: Names of torch's attentions, of which queries and values
            change, or of linear layers, which change as a whole; e.g.
            ``r'visual\.transformer\.resblocks\.\d+\.attn'``.
        rank: Rank of the change. LIFT: the power of 2 up to K / (2 blocks).
        init_cfg: mmengine's initialization config; None keeps the backbone's
            weights.

    Raises:
        ValueError: As ``FrozenBackbone``, or if the rank is below 1.
    """

    def __init__(
        self,
        backbone: dict,
        *,
        targets: str,
        rank: int,
        init_cfg: dict | None = None,
    ) -> None:
        change = partial(_change_weight, rank=rank)
        super().__init__(backbone, targets, change, init_cfg)


def _change_weight(part: nn.Module, rank: int) -> nn.Module:
    """Return the part, its weight now the sum of the frozen and the change."""
    changed: tuple[bool, ...]
    if isinstance(part, nn.MultiheadAttention) and part._qkv_same_embed_dim:
        name, changed = 'in_proj_weight', (True, False, True)  # q, k, v
    elif isinstance(part, nn.Linear):
        name, changed = 'weight', (True,)
    else:
        raise ValueError(
            f'LoRA changes a linear layer, or an nn.MultiheadAttention with '
            f'one in_proj_weight, got {type(part).__name__}'
        )
    change = LowRankChange(getattr(part, name), rank, changed)
    parametrize.register_parametrization(part, name, change)
    return part
