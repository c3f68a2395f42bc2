"""GPaCo: PaCo without a momentum encoder."""

import torch
from torch import nn

from ltvl_mm.models.classifiers.paco_classifier import QueueClassifier
from ltvl_mm.registry import MODELS


@MODELS.register_module()
class GPaCoClassifier(QueueClassifier):
    """Teach both views; one encoder sees them, each in a batch of its own.

    Either view is contrasted with the classes, with the other views of the
    batch and with the queue, and has a gradient as what others are contrasted
    with, too. Source: GPaCo, Cui et al. 2022 (arXiv 2209.12400), and its code
    for the projector, which has a layer more than PaCo's and no BatchNorm.

    Args:
        kwargs: Further arguments of :class:`QueueClassifier`.
    """

    def _build_projector(self, width: int, dim: int) -> nn.Module:
        return nn.Sequential(
            nn.Linear(width, width),
            nn.ReLU(inplace=True),
            nn.Linear(width, width),
            nn.ReLU(inplace=True),
            nn.Linear(width, dim),
        )

    def _forward_views(
        self, first: torch.Tensor, second: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        answers = [self._answer(view) for view in (first, second)]
        logits, points = zip(*answers, strict=True)
        return torch.cat(logits), torch.cat(points)
