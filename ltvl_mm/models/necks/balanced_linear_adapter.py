"""BALLAD's adapter: a linear map of the features, blended with them."""

import logging

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import nn

from ltvl_mm.registry import MODELS

ACTIVATIONS = (None, 'relu')
PLACES = (None, 'before', 'after')
STARTS = ('default', 'identity')
# From this share on, random weights hide the features that they map.
MAX_RANDOM_RATIO = 0.5


@MODELS.register_module()
class BalancedLinearAdapter(BaseModule):
    """Blend features with a learnt linear map of themselves.

    f* = ratio * act(W f + b) + (1 - ratio) * f. Source: BALLAD, section 2.2,
    Eq. 2, which has a ReLU and a bias. Its authors' code has neither, applies
    it to features that are not normalized, and starts from torch's weights.

    Args:
        dim: Width D of the features; None for that of ``arch``.
        arch: The open_clip architecture whose joint space is adapted, as
            the backbone's; None if ``dim`` is given.
        ratio: Share of the mapped features, in [0, 1]; the paper gives no
            number, its code 0.2.
        activation: ``'relu'`` or None.
        bias: True for a map with a bias.
        normalize: L2-normalize the features ``'before'`` the adapter, its
            output ``'after'``, or neither (None). ``CLIPContrastiveHead``
            normalizes what it gets in any case.
        init: ``'default'``, torch's random weights, or ``'identity'``, W = I
            and b = 0; without activation the adapter then starts as no-op.
        init_cfg: mmengine's way to initialize; None keeps ``init``.

    Raises:
        ValueError: If an argument is none of these, or not exactly one of
            ``dim`` and ``arch`` is given.
    """

    def __init__(
        self,
        dim: int | None = None,
        *,
        arch: str | None = None,
        ratio: float = 0.2,
        activation: str | None = 'relu',
        bias: bool = True,
        normalize: str | None = None,
        init: str = 'default',
        init_cfg: dict | None = None,
    ) -> None:
        if not 0 <= ratio <= 1:
            raise ValueError(f'ratio must lie in [0, 1], got {ratio}')
        _check_choice('activation', activation, ACTIVATIONS)
        _check_choice('normalize', normalize, PLACES)
        _check_choice('init', init, STARTS)
        if (dim is None) == (arch is None):
            raise ValueError(
                f'give either dim or arch, got dim={dim} and arch={arch!r}'
            )
        if arch is not None:
            # Imports open_clip, which a given width does without.
            from ltvl_mm.clip.towers import find_width

            dim = find_width(arch)
        if init == 'default' and ratio >= MAX_RANDOM_RATIO:
            print_log(
                f'an adapter of ratio {ratio} that starts at random weights '
                f"(init='default') replaces CLIP's features instead of "
                f'adapting them, which costs rare classes most; use '
                f"init='identity', or a ratio of 0.2 or less",
                'current',
                level=logging.WARNING,
            )
        super().__init__(init_cfg)
        self.ratio = ratio
        self.activation = activation
        self.normalize = normalize
        self.linear = nn.Linear(dim, dim, bias=bias)
        if init == 'identity':
            nn.init.eye_(self.linear.weight)
            if bias:
                nn.init.zeros_(self.linear.bias)

    def forward(self, feats: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
        """Map the last (B, D) of ``feats`` to ((B, D),).

        Raises:
            ValueError: If the features have another width than the adapter.
        """
        x = feats[-1]
        if x.shape[-1] != self.linear.in_features:
            raise ValueError(
                f'BalancedLinearAdapter has dim={self.linear.in_features}, '
                f'but the features are {x.shape[-1]} wide; set dim to that'
            )
        if self.normalize == 'before':
            x = F.normalize(x, dim=-1)
        mapped = self.linear(x)
        if self.activation == 'relu':
            mapped = F.relu(mapped)
        x = self.ratio * mapped + (1 - self.ratio) * x
        if self.normalize == 'after':
            x = F.normalize(x, dim=-1)
        return (x,)


def _check_choice(name: str, value: object, choices: tuple) -> None:
    if value not in choices:
        raise ValueError(f'{name} must be one of {choices}, got {value!r}')
