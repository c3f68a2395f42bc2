"""Blocks of CONTAINER."""

import torch
import torch.nn.functional as F
from mmcv.cnn.bricks import DropPath
from torch import nn


class ConvMLP(nn.Sequential):
    """Two layers for each pixel.

    Args:
        dim: Channels C.
        ratio: Width of the inner layer, in C.
        drop_rate: Dropout after each layer.
    """

    def __init__(self, dim: int, ratio: float, drop_rate: float) -> None:
        inner = int(dim * ratio)
        super().__init__(
            nn.Conv2d(dim, inner, 1),
            nn.GELU(),
            nn.Dropout(drop_rate),
            nn.Conv2d(inner, dim, 1),
            nn.Dropout(drop_rate),
        )


class ContainerBlock(nn.Module):
    """A block whose affinity between pixels is a 5 x 5 depth-wise kernel.

    x + DW3(x); x + DP(PW(DW5(PW(BN(x))))); x + DP(MLP(BN(x))).

    Args:
        dim: Channels C.
        mlp_ratio: Ratio of hidden to input channels; see :class:`ConvMLP`.
        drop_rate: Dropout probability of the MLP; default 0.
        drop_path_rate: DP, share of images that skip a branch; default 0.
    """

    def __init__(
        self,
        dim: int,
        mlp_ratio: float,
        *,
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
    ) -> None:
        super().__init__()
        self.position = nn.Conv2d(dim, dim, 3, padding=1, groups=dim)
        self.norm1 = nn.BatchNorm2d(dim)
        self.project_in = nn.Conv2d(dim, self._inner_width(dim), 1)
        self.static = nn.Conv2d(dim, dim, 5, padding=2, groups=dim)
        self.project_out = nn.Conv2d(dim, dim, 1)
        self.drop_path = DropPath(drop_path_rate)
        self.norm2 = nn.BatchNorm2d(dim)
        self.mlp = ConvMLP(dim, mlp_ratio, drop_rate)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C, H, W) to the same shape."""
        x = x + self.position(x)
        mixed = self._aggregate(self.project_in(self.norm1(x)))
        x = x + self.drop_path(self.project_out(mixed))
        return x + self.drop_path(self.mlp(self.norm2(x)))

    def _inner_width(self, dim: int) -> int:
        return dim

    def _aggregate(self, x: torch.Tensor) -> torch.Tensor:
        return self.static(x)


class MixedContainerBlock(ContainerBlock):
    """A block with self-attention as a second, dynamic affinity.

    The aggregate of values is g * attention + (1 - g) * DW5, where g is a
    learned number, 0.5 at first.

    Args:
        dim: Channels C.
        mlp_ratio: Ratio of hidden to input channels; see :class:`ConvMLP`.
        num_heads: Number of attention heads; divides C.
        drop_rate: Dropout probability of the MLP; default 0.
        drop_path_rate: Share of images that skip a branch; default 0.
    """

    def __init__(
        self,
        dim: int,
        mlp_ratio: float,
        *,
        num_heads: int,
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
    ) -> None:
        if dim % num_heads:
            raise ValueError(
                f'num_heads must divide dim {dim}, got {num_heads}'
            )
        super().__init__(
            dim,
            mlp_ratio,
            drop_rate=drop_rate,
            drop_path_rate=drop_path_rate,
        )
        self.num_heads = num_heads
        self.gate = nn.Parameter(torch.zeros(1))

    def _inner_width(self, dim: int) -> int:
        return 3 * dim

    def _aggregate(self, x: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = x.shape
        # Channels are q | k | v, each heads x width of a head.
        shape = (batch, 3, self.num_heads, -1, height * width)
        query, key, value = x.reshape(shape).transpose(-1, -2).unbind(1)
        dynamic = F.scaled_dot_product_attention(query, key, value)
        dynamic = dynamic.transpose(-1, -2).reshape(
            batch, channels // 3, height, width
        )
        static = self.static(x[:, -channels // 3 :])
        gate = self.gate.sigmoid()
        return gate * dynamic + (1 - gate) * static
