"""A linear classifier that trusts retrieved images less than labelled ones."""

import torch
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.structures import DataSample

from ltvl_mm.registry import MODELS

BY_PROBABILITY = 'probability'


@MODELS.register_module()
class OriginWeightedClsHead(LinearClsHead):
    """Weigh each image of the batch by where it comes from.

    Images of the target weigh 1. The loss is the mean by weight. Not in the
    TACKLE paper, which trusts all alike.

    Args:
        num_classes: K.
        in_channels: Width F of the features.
        retrieved: Weight of retrieved images, >= 0; or ``'probability'``,
            the p_k that each was retrieved with (its log-odds are the score
            of a manifest made by ``--score softmax``).
        kwargs: Of the host's LinearClsHead; its loss takes ``weight``, as
            the host's own do and ``LogitAdjustedLoss`` does.

    Raises:
        ValueError: If the weight is negative or another word.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        *,
        retrieved: float | str,
        **kwargs: object,
    ) -> None:
        known = (
            retrieved == BY_PROBABILITY
            if isinstance(retrieved, str)
            else retrieved >= 0
        )
        if not known:
            raise ValueError(
                f"retrieved must be a weight >= 0 or '{BY_PROBABILITY}', got "
                f'{retrieved!r}'
            )
        super().__init__(num_classes, in_channels, **kwargs)
        self.retrieved = retrieved

    def loss(
        self,
        feats: tuple[torch.Tensor, ...],
        data_samples: list[DataSample],
        **kwargs: object,
    ) -> dict[str, torch.Tensor]:
        """Return the loss of ((N, F),) features and their samples.

        Raises:
            ValueError: If a sample does not say where it comes from.
        """
        logits = self(feats)
        target = torch.cat([sample.gt_label for sample in data_samples])
        weight = logits.new_tensor(
            [self._weigh(sample) for sample in data_samples]
        )
        loss = self.loss_module(
            logits,
            target,
            weight,
            # A batch may be of images that weigh nothing.
            avg_factor=weight.sum().clamp(min=1e-6),
            **kwargs,
        )
        return {'loss': loss}

    def _weigh(self, sample: DataSample) -> float:
        if 'origin' not in sample:
            raise ValueError(
                'OriginWeightedClsHead needs samples that say where they come '
                'from, as those of ltvl_mm.TACKLEDataset do'
            )
        if sample.origin == 'target':
            return 1.0
        if self.retrieved != BY_PROBABILITY:
            return float(self.retrieved)
        score = torch.tensor(sample.retrieval_score, dtype=torch.float64)
        return float(score.sigmoid())
