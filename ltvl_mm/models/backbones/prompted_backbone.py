"""A frozen transformer whose blocks see trained tokens beside theirs: VPT."""

from functools import partial

import torch
from torch import nn

from ltvl_mm.models.backbones.frozen_backbone import FrozenBackbone
from ltvl_mm.registry import MODELS


class PromptedBlock(nn.Module):
    """Append trained tokens before a block, and drop them behind it.

    Attention does not care where in the sequence they stand.

    Args:
        module: A block of a transformer that maps (B, L, D) to (B, L, D), or
            (L, B, D) where its nn.MultiheadAttention is not batch-first.
        length: Tokens P, at least 1.

    Raises:
        ValueError: If the module is not a block, or the length is below 1.
    """

    def __init__(self, module: nn.Module, length: int) -> None:
        if length < 1:
            raise ValueError(f'length must be at least 1, got {length}')
        super().__init__()
        parts = list(module.children())
        norms = [part for part in parts if isinstance(part, nn.LayerNorm)]
        if not norms:
            raise ValueError(
                f'prompts stand in a block of a transformer, with LayerNorm '
                f'in it, got {type(module).__name__}'
            )
        self.module = module
        self.axis = 1
        for part in parts:
            if isinstance(part, nn.MultiheadAttention):
                self.axis = int(part.batch_first)
        width = norms[0].normalized_shape[-1]
        # VPT's rule sqrt(6 / (3 p^2 + D)) for patches of p x p, where a patch
        # has as many numbers as a token, as those of ViT-B/16 do.
        bound = (3 / width) ** 0.5
        self.prompts = nn.Parameter(torch.empty(length, width))
        nn.init.uniform_(self.prompts, -bound, bound)

    def forward(
        self, tokens: torch.Tensor, *args: object, **kwargs: object
    ) -> torch.Tensor:
        """Map tokens as the block does, with prompts to attend to.

        Args:
            tokens: Tokens of the images.
            args: Further arguments of the block, e.g. a mask; must be None.
            kwargs: Likewise.

        Raises:
            ValueError: If a further argument is not None.
        """
        if any(other is not None for other in (*args, *kwargs.values())):
            raise ValueError(
                'a block that gets a mask, or anything beside its tokens, '
                'cannot have prompts'
            )
        shape = list(tokens.shape)
        shape[self.axis] = len(self.prompts)
        prompts = self.prompts.unsqueeze(1 - self.axis).expand(shape)
        both = torch.cat([tokens, prompts.to(tokens.dtype)], self.axis)
        return self.module(both).narrow(self.axis, 0, tokens.shape[self.axis])


@MODELS.register_module()
class PromptedBackbone(FrozenBackbone):
    r"""Train tokens beside those of a frozen transformer.

    Source: VPT-deep (Jia et al. 2022, arXiv 2203.12119), section 3.2: new
    ones for each block. One of LIFT's choices (Shi et al. 2024, arXiv
    2309.10019).

    Args:
        backbone: Config of the backbone; see ``FrozenBackbone``.
        targets: Names of blocks, see there; e.g.
            ``r'visual\.transformer\.resblocks\.\d+'``.
        length: Tokens per block; 10 in LIFT's code.
        init_cfg: mmengine's initialization config; None keeps the backbone's
            weights.

    Raises:
        ValueError: As ``FrozenBackbone``, or if the length is below 1.
    """

    def __init__(
        self,
        backbone: dict,
        *,
        targets: str,
        length: int = 10,
        init_cfg: dict | None = None,
    ) -> None:
        change = partial(PromptedBlock, length=length)
        super().__init__(backbone, targets, change, init_cfg)
