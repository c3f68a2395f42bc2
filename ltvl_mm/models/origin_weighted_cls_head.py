"""Linear classifier that weights training images by their origin."""

import torch
from mmpretrain.evaluation.metrics import Accuracy
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.structures import DataSample

from ltvl_mm.models.loss_arguments import check_hard_labels
from ltvl_mm.registry import MODELS

BY_PROBABILITY = 'probability'


@MODELS.register_module()
class OriginWeightedClsHead(LinearClsHead):
    """Weight the loss of each image by its origin, target or retrieved.

    Target images weigh 1. The loss is the weighted mean. Not in the TACKLE
    paper, which gives all images the same weight.

    Mixup and CutMix work as with mmpretrain's LinearClsHead while all images
    of a batch weigh the same (``retrieved=1``). Otherwise a mixed image has
    no weight, because the data preprocessor does not report which images it
    mixed, and the head raises an error.

    Args:
        num_classes: Number of classes K.
        in_channels: Feature width F.
        retrieved: Weight of retrieved images, >= 0; or ``'probability'`` for
            the p_k that each was retrieved with (its log-odds are the score
            of a manifest made by ``--score softmax``).
        kwargs: Arguments of mmpretrain's LinearClsHead. Its loss must take
            ``weight``, as mmpretrain's own losses and ours do.

    Raises:
        ValueError: If ``retrieved`` is negative or another word.
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
            ValueError: If a sample has no origin, or labels are soft and the
                images of the batch have different weights.
        """
        logits = self(feats)
        weights = [self._weigh(sample) for sample in data_samples]
        target = self._collect_targets(data_samples, weights)
        weight = logits.new_tensor(weights)
        losses = {
            'loss': self.loss_module(
                logits,
                target,
                weight,
                # All images of a batch may weigh 0.
                avg_factor=weight.sum().clamp(min=1e-6),
                **kwargs,
            )
        }
        if self.cal_acc:
            check_hard_labels(target, self)
            accuracy = Accuracy.calculate(logits, target, topk=self.topk)
            for k, value in zip(self.topk, accuracy, strict=True):
                losses[f'accuracy_top-{k}'] = value
        return losses

    def _collect_targets(
        self, data_samples: list[DataSample], weights: list[float]
    ) -> torch.Tensor:
        """Return (N,) class indices, or (N, K) soft labels if there are."""
        if 'gt_score' not in data_samples[0]:
            return torch.cat([sample.gt_label for sample in data_samples])
        if len(set(weights)) > 1:
            raise ValueError(
                f'OriginWeightedClsHead(retrieved={self.retrieved!r}) cannot '
                f'weight mixed images: the samples carry soft labels '
                f'(gt_score) and the data preprocessor does not report which '
                f'images it mixed. Set retrieved=1.0, or remove Mixup, '
                f"CutMix and similar batch augmentations from the model's "
                f'train_cfg, and to_onehot from its data_preprocessor'
            )
        return torch.stack([sample.gt_score for sample in data_samples])

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
