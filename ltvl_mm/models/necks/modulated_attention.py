"""Attention over the places of a feature map, before it is pooled."""

import torch
from mmengine.model import BaseModule
from torch import nn

from ltvl_mm.registry import MODELS


@MODELS.register_module()
class ModulatedAttentionNeck(BaseModule):
    """x + softmax over places of fc(x) * mask(non-local(x)), then pooled.

    The non-local block is an embedded Gaussian one. Its mask starts at 0, so
    that a second stage starts as its first stage ends. Source: OLTR, Liu et
    al. 2019 (arXiv 1904.05160), section 3, and its code. (There, the ResNet
    initializes all its convolutions once more, the mask among them.)

    Args:
        in_channels: Width C of the map.
        map_size: Height and width S of the map; 7 for a ResNet at 224 px.
        neck: Pools the map, e.g. mmpretrain's GlobalAveragePooling, or its
            LinearNeck for a narrower feature.
        reduction: C by the width of the non-local block.
        init_cfg: mmengine's initialization config.
    """

    def __init__(
        self,
        in_channels: int,
        map_size: int,
        *,
        neck: dict,
        reduction: int = 2,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.map_size = map_size
        inner = in_channels // reduction
        self.query = nn.Conv2d(in_channels, inner, 1)
        self.key = nn.Conv2d(in_channels, inner, 1)
        self.value = nn.Conv2d(in_channels, inner, 1)
        for conv in (self.query, self.key, self.value):
            nn.init.kaiming_normal_(conv.weight)
            nn.init.zeros_(conv.bias)
        self.mask = nn.Conv2d(inner, in_channels, 1, bias=False)
        nn.init.zeros_(self.mask.weight)
        places = map_size**2
        self.places = nn.Linear(places * in_channels, places)
        self.neck = MODELS.build(neck)

    def forward(
        self, feats: tuple[torch.Tensor, ...]
    ) -> tuple[torch.Tensor, ...]:
        """Map the last (N, C, S, S) to what the neck makes of it.

        Raises:
            ValueError: If the map has another size.
        """
        x = feats[-1]
        size = (self.map_size, self.map_size)
        if x.shape[2:] != size:
            raise ValueError(
                f'the feature map has {tuple(x.shape[2:])} places, but '
                f'ModulatedAttentionNeck was made for {size}; set map_size'
            )
        attention = self.places(x.flatten(1)).softmax(1)
        attention = attention.unflatten(1, (1, *size))  # (N, 1, S, S)
        return self.neck((x + attention * self.mask(self._relate(x)),))

    def _relate(self, x: torch.Tensor) -> torch.Tensor:
        """Return the (N, C / reduction, S, S) non-local values of a map."""
        query, key, value = (
            conv(x).flatten(2) for conv in (self.query, self.key, self.value)
        )  # (N, C / reduction, S * S)
        # Unscaled logits, as the authors have them, overflow in float16.
        root = query.shape[1] ** 0.5
        logits = root * (query.transpose(1, 2) @ (key / root)).float()
        shares = logits.softmax(2).to(value.dtype)  # of the second place
        return (value @ shares.transpose(1, 2)).unflatten(2, x.shape[2:])
