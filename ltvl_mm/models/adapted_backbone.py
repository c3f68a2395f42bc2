"""A frozen backbone with small trained adapters inside."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from ltvl_mm.models.frozen_backbone import FrozenBackbone
from ltvl_mm.registry import MODELS


class ParallelAdapter(nn.Module):
    """y = module(x) + s * up(ReLU(down(LN(x)))), s and the right part trained.

    ``up`` starts at zero, so that nothing changes at first. Beside a
    convolution of 1 x 1 the adapter is one, too, and LN is left out.

    Args:
        module: The MLP of a transformer's block, or a convolution of 1 x 1
            with stride 1.
        dim: Width of the bottleneck.
        scale: Where s starts.

    Raises:
        ValueError: If the module is neither.
    """

    def __init__(self, module: nn.Module, dim: int, scale: float) -> None:
        super().__init__()
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
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, x: torch.Tensor, **kwargs: object) -> torch.Tensor:
        """Map what the module maps; ``kwargs`` are the module's own."""
        change = self.up(F.relu(self.down(self.norm(x))))
        return self.module(x, **kwargs) + self.scale * change


@MODELS.register_module()
class AdaptedBackbone(FrozenBackbone):
    r"""Train adapters beside parts of a backbone that stays as it is.

    Source: AdaptFormer (Chen et al. 2022, arXiv 2205.13535), as LIFT (Shi et
    al. 2024, arXiv 2309.10019) fine-tunes CLIP with it on long-tailed data.

    Args:
        backbone: See ``FrozenBackbone``.
        targets: Names of MLPs or of convolutions of 1 x 1, see there; e.g.
            ``r'visual\.transformer\.resblocks\.\d+\.mlp'``.
        dim: Width of an adapter. LIFT: the power of 2 up to K / (2 blocks);
            32 for 1,000 classes and 12 blocks.
        scale: Where the adapters' factors start; 1 in LIFT's code.
        init_cfg: Of mmengine; None keeps the backbone's weights.

    Raises:
        ValueError: As ``FrozenBackbone``.
    """

    def __init__(
        self,
        backbone: dict,
        *,
        targets: str,
        dim: int,
        scale: float = 0.1,
        init_cfg: dict | None = None,
    ) -> None:
        change = partial(ParallelAdapter, dim=dim, scale=scale)
        super().__init__(backbone, targets, change, init_cfg)
