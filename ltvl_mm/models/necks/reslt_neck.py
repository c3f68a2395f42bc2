"""ResLT's neck: one feature per branch."""

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule

from ltvl_mm.registry import MODELS


@MODELS.register_module()
class ResLTNeck(BaseModule):
    """Map a feature map to one pooled feature per branch.

    Training applies a 1 x 1 convolution, BatchNorm and ReLU, then global
    average pooling. The authors' code pools before the convolution at test
    time; because of the ReLU that gives other logits. Source: ResLT, Cui et
    al. 2023 (arXiv 2101.10633), section 3.2, and its code (option
    ``--after_1x1conv``).

    Args:
        in_channels: Width C of the feature map.
        branches: Number of branches B of the loss: 3, or 2 on iNaturalist
            2018.
        test_pooling: ``'before'`` the convolution at test time, as in the
            authors' code (default), or ``'after'`` it, as in training.
        init_cfg: Initialization config of mmengine.

    Raises:
        ValueError: If there is no branch, or ``test_pooling`` is neither.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        branches: int = 3,
        test_pooling: str = 'before',
        init_cfg: dict | None = None,
    ) -> None:
        if branches < 1:
            raise ValueError(f'branches must be >= 1, got {branches}')
        if test_pooling not in ('before', 'after'):
            raise ValueError(
                f"test_pooling must be 'before' or 'after', got "
                f'{test_pooling!r}'
            )
        super().__init__(init_cfg)
        self.test_pooling = test_pooling
        self.branches = branches
        self.expand = ConvModule(
            in_channels,
            branches * in_channels,
            1,
            bias=False,
            norm_cfg={'type': 'BN'},
        )

    def forward(
        self, feats: tuple[torch.Tensor, ...]
    ) -> tuple[torch.Tensor, ...]:
        """Map the last (N, C, H, W) feature map to B features (N, C)."""
        x = feats[-1]
        if not self.training and self.test_pooling == 'before':
            x = x.mean((2, 3), keepdim=True)  # (N, C, 1, 1)
        maps = self.expand(x)
        return maps.mean((2, 3)).chunk(self.branches, 1)
