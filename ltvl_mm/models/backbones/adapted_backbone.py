"""A frozen backbone with small trained adapters inside."""

from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from ltvl_mm.models.backbones.frozen_backbone import FrozenBackbone
from ltvl_mm.registry import MODELS


class ParallelAdapter(nn.Module):
    """y = module(x) + s * up(ReLU(down(LN(x)))), s and the right part trained.

    ``up`` starts at zero, so that nothing changes at first. Beside a
    convolution of 1 x 1 the adapter is one, too, and LN is left out.
    ``before`` is the identity, unless it takes the block's norm in: the
    module then gets before(x), and the adapter still x.

    Args:
        module: The MLP of a transformer's block, or a convolution of 1 x 1
            with stride 1.
        dim: Width of the bottleneck.
        scale: Initial s.

    Raises:
        ValueError: If the module is neither.
    """

    def __init__(self, module: nn.Module, dim: int, scale: float) -> None:
        super().__init__()
        self.before = nn.Identity()
        self.module = module
        linears = [m for m in module.modules() if isinstance(m, nn.Linear)]
        if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1):
            if module.stride != (1, 1):
                raise ValueError(f'an adapter beside {module} needs stride 1')
            self.norm = nn.Identity()
            self.down = nn.Conv2d(module.in_channels, dim, 1)
            self.up = nn.Conv2d(dim, module.out_channels, 1)
        elif linears:
            self.norm = nn.LayerNorm(linears[0].in_features)
            self.down = nn.Linear(linears[0].in_features, dim)
            self.up = nn.Linear(dim, linears[-1].out_features)
        else:
            raise ValueError(
                f'an adapter stands beside an MLP or a convolution of 1 x 1, '
                f'got {type(module).__name__}'
            )
        nn.init.kaiming_normal_(self.down.weight, a=5**0.5)
        for start in (self.down.bias, self.up.weight, self.up.bias):
            nn.init.zeros_(start)
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, x: torch.Tensor, **kwargs: object) -> torch.Tensor:
        """Add the adapter's output to that of the module.

        Args:
            x: Input of the module.
            kwargs: Further arguments of the module.
        """
        change = self.up(F.relu(self.down(self.norm(x))))
        return self.module(self.before(x), **kwargs) + self.scale * change


@MODELS.register_module()
class AdaptedBackbone(FrozenBackbone):
    r"""Train adapters beside parts of a frozen backbone.

    Source: AdaptFormer (Chen et al. 2022, arXiv 2205.13535), as LIFT (Shi et
    al. 2024, arXiv 2309.10019) fine-tunes CLIP with it on long-tailed data.

    Args:
        backbone: Config of the backbone; see ``FrozenBackbone``.
        targets: Names of MLPs or of convolutions of 1 x 1, see there; e.g.
            ``r'visual\.transformer\.resblocks\.\d+\.mlp'``.
        norm: Name of the norm right before each of these parts, inside the
            same block: ``'ln_2'`` in a ViT of CLIP, ``'ln2'`` in mmpretrain's,
            ``'norm2'`` in timm's. The adapter then reads what the norm reads,
            the residual stream, as in LIFT's code. None: it reads what the
            part reads, which is there in every backbone.
        dim: Width of an adapter. LIFT: the power of 2 up to K / (2 blocks);
            32 for 1,000 classes and 12 blocks.
        scale: Initial factor of the adapters; 1 in LIFT's code.
        init_cfg: mmengine's initialization config; None keeps the backbone's
            weights.

    Raises:
        ValueError: As ``FrozenBackbone``, or if ``norm`` is not right before
            a part.
    """

    def __init__(
        self,
        backbone: dict,
        *,
        targets: str,
        dim: int,
        norm: str | None = None,
        scale: float = 0.1,
        init_cfg: dict | None = None,
    ) -> None:
        change = partial(ParallelAdapter, dim=dim, scale=scale)
        super().__init__(backbone, targets, change, init_cfg)
        if norm is not None:
            for block in list(self.backbone.modules()):
                _take_norms_in(block, norm)


def _take_norms_in(block: nn.Module, norm: str) -> None:
    """Move the norm before each adapter of a block into the adapter."""
    children = list(block.named_children())
    for (before, part), (name, adapter) in pairwise([('', None), *children]):
        if not isinstance(adapter, ParallelAdapter):
            continue
        if before != norm:
            raise ValueError(
                f'norm={norm!r} must be right before {name!r} in its '
                f'{type(block).__name__}, where {before or None!r} is; its '
                f'parts are {", ".join(name for name, _ in children)}'
            )
        adapter.before = part
        setattr(block, norm, nn.Identity())
