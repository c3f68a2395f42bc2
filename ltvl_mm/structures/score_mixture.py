"""Combine the scores of several models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

SPACES = ('logit', 'probability')


@dataclass(frozen=True)
class ScoreMixture:
    """A weighted mean of M models' scores.

    Source: "Ensemble TACKLE with VL Model" and Table 7 of the TACKLE paper,
    which mixes "proportionally" the student's logits and CLIP's cosines:
    z = a * z_student + (1 - a) * s * cos. Its a, s and space are not
    published.

    Attributes:
        weights: M shares, each >= 0, with sum 1.
        scales: M finite factors > 0 on each model's logits, before anything
            else.
        space: ``'logit'``, mean of scaled logits; ``'probability'``, mean of
            their softmax.
    """

    weights: tuple[float, ...]
    scales: tuple[float, ...]
    space: str = 'logit'

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: If they are not as described; names them.
        """
        if self.space not in SPACES:
            raise ValueError(
                f'space must be one of {SPACES}, got {self.space!r}'
            )
        if not self.weights or len(self.weights) != len(self.scales):
            raise ValueError(
                f'each model needs a weight and a scale, got weights '
                f'{self.weights} and scales {self.scales}'
            )
        valid = all(weight >= 0 for weight in self.weights)
        if not valid or not abs(sum(self.weights) - 1) < 1e-6:
            raise ValueError(
                f'weights must be >= 0 and have the sum 1, got {self.weights}'
            )
        if not all(0 < scale < math.inf for scale in self.scales):
            raise ValueError(
                f'scales must be finite numbers > 0, got {self.scales}'
            )

    def mix(self, logits: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return (B, K) float32 logits of the mixture.

        Args:
            logits: M times (B, K). A number that is the same for all classes
                of an image changes nothing, so log-probabilities will do.

        Raises:
            ValueError: If the models do not agree on the shape.
        """
        shapes = [tuple(one.shape) for one in logits]
        if len(shapes) != len(self.weights) or len(set(shapes)) > 1:
            raise ValueError(
                f'{len(self.weights)} models with the same classes are to be '
                f'mixed, but their logits are {shapes}'
            )
        scaled = [
            scale * one.float()
            for scale, one in zip(self.scales, logits, strict=True)
        ]
        if self.space == 'logit':
            return sum(
                weight * one
                for weight, one in zip(self.weights, scaled, strict=True)
            )
        import torch  # not for parsers, which list SPACES

        shares = torch.tensor(self.weights).log().to(scaled[0].device)
        each = torch.stack([one.log_softmax(-1) for one in scaled])
        return torch.logsumexp(each + shares[:, None, None], dim=0)
