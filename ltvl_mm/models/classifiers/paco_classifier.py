"""PaCo: two views, a momentum encoder, and a queue of its keys."""

from typing import Any

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather
from mmengine.model import ExponentialMovingAverage
from mmpretrain.models.classifiers import ImageClassifier
from mmpretrain.models.utils import batch_shuffle_ddp, batch_unshuffle_ddp
from mmpretrain.structures import DataSample
from torch import nn

from ltvl_mm.models.losses.loss_arguments import (
    check_hard_samples,
    check_no_batch_augments,
)
from ltvl_mm.registry import MODELS


class QueueClassifier(ImageClassifier):
    """Train on two views of each image and on a queue of earlier ones.

    What PaCo and GPaCo have in common. Predicts as any classifier, with plain
    logits. The queue is part of the checkpoint, so that a resumed run keeps
    with it. While it is not full yet, what is missing is left out.

    Args:
        dim: Width D of what is contrasted.
        queue_size: Points that are remembered, of second views.
        data_preprocessor: Data preprocessor config; of mmpretrain's kinds that
            for several views is taken.
        kwargs: Further arguments of mmpretrain's ImageClassifier; its head has
            ``fc``, ``in_channels``, and ``loss=dict(type='ltvl_mm.PaCoLoss',
            ...)``.

    Raises:
        ValueError: If ``train_cfg`` or ``data_preprocessor`` mixes images.
    """

    def __init__(
        self,
        *args: Any,
        dim: int = 128,
        queue_size: int = 8192,
        data_preprocessor: dict | nn.Module | None = None,
        train_cfg: dict | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            *args,
            data_preprocessor=_build_preprocessor(data_preprocessor),
            train_cfg=train_cfg,
            **kwargs,
        )
        check_no_batch_augments(self, train_cfg)
        self.projector = self._build_projector(self.head.in_channels, dim)
        self.register_buffer('queue', torch.zeros(queue_size, dim))
        self.register_buffer(
            'queue_labels', torch.full((queue_size,), -1, dtype=torch.int64)
        )
        self.register_buffer('queue_place', torch.zeros((), dtype=torch.int64))

    def loss(
        self,
        inputs: list[torch.Tensor],
        data_samples: list[DataSample],
    ) -> dict[str, torch.Tensor]:
        """Return the loss of two (N, 3, H, W) views, and queue the second.

        Raises:
            ValueError: If there are not two views, or labels are soft.
        """
        if not isinstance(inputs, list) or len(inputs) != 2:
            raise ValueError(
                f'{type(self).__name__} trains on two views of each image: '
                f'put MultiView into the pipeline'
            )
        check_hard_samples(data_samples, self)
        target = torch.cat([sample.gt_label for sample in data_samples])
        target = target.to(inputs[0].device)
        logits, points = self._forward_views(*inputs)
        labels = target.repeat(2)
        loss = self.head.loss_module(
            logits,
            points[: len(logits)],
            torch.cat([points, self.queue.clone()]),
            labels[: len(logits)],
            torch.cat([labels, self.queue_labels.clone()]),
        )
        self._enqueue(points[len(target) :].detach(), target)
        return {'loss': loss}

    def _build_projector(self, width: int, dim: int) -> nn.Module:
        """Return what maps (N, F) features to (N, D)."""
        raise NotImplementedError

    def _forward_views(
        self, first: torch.Tensor, second: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits of the views that are taught, and points of both.

        The points are (2N, D) of unit norm, those of the first view first;
        the logits are (N, K), of the first view, or (2N, K).
        """
        raise NotImplementedError

    def _answer(
        self, images: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (N, K) logits and (N, D) points of a view."""
        feats = self.extract_feat(images)
        points = self.projector(self.head.pre_logits(feats))
        return self.head(feats), _normalize(points)

    @torch.no_grad()
    def _enqueue(self, keys: torch.Tensor, labels: torch.Tensor) -> None:
        """Put the keys of all processes in place of the oldest."""
        keys = torch.cat(all_gather(keys))[-len(self.queue) :]
        labels = torch.cat(all_gather(labels))[-len(self.queue) :]
        places = self.queue_place + torch.arange(len(keys), device=keys.device)
        places %= len(self.queue)
        self.queue[places] = keys
        self.queue_labels[places] = labels
        self.queue_place.copy_((places[-1] + 1) % len(self.queue))


@MODELS.register_module()
class PaCoClassifier(QueueClassifier):
    """Train the first view; the momentum (EMA) encoder sees the second.

    The momentum encoder is part of the checkpoint. Source: PaCo, Cui et al.
    2021 (arXiv 2107.12028), section 3; momentum encoder and queue as in MoCo.

    Args:
        momentum: Momentum of the momentum (EMA) encoder, in (0, 1).
        kwargs: Further arguments of :class:`QueueClassifier`.

    Raises:
        ValueError: If the momentum lies outside (0, 1).
    """

    def __init__(
        self, *args: Any, momentum: float = 0.999, **kwargs: Any
    ) -> None:
        if not 0 < momentum < 1:
            raise ValueError(f'momentum must lie in (0, 1), got {momentum}')
        super().__init__(*args, **kwargs)
        # mmengine's momentum is the share of the new weights.
        self.slow = ExponentialMovingAverage(self._encoder(), 1 - momentum)

    def _build_projector(self, width: int, dim: int) -> nn.Module:
        return nn.Sequential(
            nn.Linear(width, width),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
            nn.Linear(width, dim),
        )

    def _forward_views(
        self, first: torch.Tensor, second: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        logits, queries = self._answer(first)
        return logits, torch.cat([queries, self._encode_slowly(second)])

    def _encoder(self) -> '_Encoder':
        return _Encoder(self.backbone, self.neck, self.projector)

    @torch.no_grad()
    def _encode_slowly(self, images: torch.Tensor) -> torch.Tensor:
        """Return (N, D) keys of the momentum encoder, after its step."""
        self.slow.update_parameters(self._encoder())
        # So that BatchNorm does not tell which images are of one batch.
        images, order = batch_shuffle_ddp(images)
        return batch_unshuffle_ddp(self.slow(images), order)


def _build_preprocessor(cfg: dict | nn.Module | None) -> nn.Module:
    """Build it here: mmpretrain's classifier adds augmentations."""
    if isinstance(cfg, nn.Module):
        return cfg
    known = {
        name: value
        for name, value in (cfg or {}).items()
        if name != 'num_classes'
    }
    return MODELS.build({'type': 'SelfSupDataPreprocessor', **known})


class _Encoder(nn.Module):
    """Images -> (N, D) of unit norm."""

    def __init__(
        self, backbone: nn.Module, neck: nn.Module | None, projector: nn.Module
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = neck
        self.projector = projector

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        feats = self.backbone(images)
        if self.neck is not None:
            feats = self.neck(feats)
        return _normalize(self.projector(feats[-1]))


def _normalize(points: torch.Tensor) -> torch.Tensor:
    return F.normalize(points.float(), dim=1)
