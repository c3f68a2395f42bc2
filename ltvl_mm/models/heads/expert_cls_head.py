"""Several classifiers whose mean logits answer."""

import torch
from mmengine.model import ModuleList
from mmpretrain.models.heads import ClsHead
from mmpretrain.models.heads.margin_head import NormProduct
from mmpretrain.structures import DataSample
from torch import nn

from ltvl_mm.registry import MODELS


@MODELS.register_module()
class ExpertClsHead(ClsHead):
    """E classifiers, each on the features of its expert.

    Behind any other backbone, all take the one feature that there is. The
    loss gets (N, E, K) logits: ``RIDELoss``, ``DiverseExpertLoss``.

    Args:
        num_classes: K.
        in_channels: Width F of an expert's features.
        num_experts: E, >= 2.
        scale: Logits are scale * cosine, as RIDE and TADE have it; None for
            plain linear ones.
        loss: Config of one of these losses.
        init_cfg: mmengine's initialization config.

    Raises:
        ValueError: If there are fewer than two experts.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        *,
        loss: dict,
        num_experts: int = 3,
        scale: float | None = 30.0,
        init_cfg: dict | None = None,
    ) -> None:
        if num_experts < 2:
            raise ValueError(f'num_experts must be >= 2, got {num_experts}')
        super().__init__(loss=loss, init_cfg=init_cfg)
        self.scale = scale
        self.experts = ModuleList(
            [
                nn.Linear(in_channels, num_classes)
                if scale is None
                else NormProduct(in_channels, num_classes, bias=False)
                for _ in range(num_experts)
            ]
        )

    def forward(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Return the (N, K) mean of the experts' logits."""
        return self.forward_experts(feats).mean(1)

    def forward_experts(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Map E times (N, F), or one, to (N, E, K) logits.

        Raises:
            ValueError: If there are as many features as neither one nor E.
        """
        count = len(self.experts)
        if len(feats) not in (1, count):
            raise ValueError(
                f'{count} experts need 1 or {count} features, got {len(feats)}'
            )
        own = feats * count if len(feats) == 1 else feats
        return torch.stack(
            [self.forward_expert(e, feat) for e, feat in enumerate(own)], 1
        )

    def forward_expert(self, number: int, feat: torch.Tensor) -> torch.Tensor:
        """Map (N, F) to the (N, K) logits of an expert, the first being 0."""
        logits = self.experts[number](feat).float()
        return logits if self.scale is None else self.scale * logits

    def loss(
        self,
        feats: tuple[torch.Tensor, ...],
        data_samples: list[DataSample],
        **kwargs: object,
    ) -> dict[str, torch.Tensor]:
        """Return the loss of the experts together.

        Args:
            feats: Features of the experts; see :meth:`forward_experts`.
            data_samples: N samples with labels.
            kwargs: Further arguments of the loss module, as in mmpretrain's
                ClsHead.
        """
        logits = self.forward_experts(feats)
        return self._get_loss(logits, data_samples, **kwargs)
