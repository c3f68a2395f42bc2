"""PaCo: a classifier with a momentum encoder and a queue of its keys."""

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather
from mmengine.model import ExponentialMovingAverage
from mmpretrain.models.classifiers import ImageClassifier
from mmpretrain.models.utils import batch_shuffle_ddp, batch_unshuffle_ddp
from mmpretrain.structures import DataSample
from torch import nn

from ltvl_mm.registry import MODELS


@MODELS.register_module()
class PaCoClassifier(ImageClassifier):
    """Train on two views of each image, one of them seen by a slow copy.

    Predicts as any classifier, with plain logits. Encoder, queue and pointer
    are part of the checkpoint, so that a resumed run goes on with them. While
    the queue is not full yet, what is missing is left out. Source: PaCo, Cui
    et al. 2021 (arXiv 2107.12028), section 3; momentum encoder and queue as
    in MoCo.

    Args:
        dim: Width of what is contrasted.
        queue_size: Keys that are remembered.
        momentum: Of the slow copy, in [0, 1).
        data_preprocessor: As for any classifier; of the host's kinds that
            for several views is taken.
        kwargs: Of the host's ImageClassifier; its head has ``fc``,
            ``in_channels``, and ``loss=dict(type='ltvl_mm.PaCoLoss', ...)``.

    Raises:
        ValueError: If the momentum lies outside [0, 1).
    """

    def __init__(
        self,
        *args: object,
        dim: int = 128,
        queue_size: int = 8192,
        momentum: float = 0.999,
        data_preprocessor: dict | nn.Module | None = None,
        **kwargs: object,
    ) -> None:
        if not 0 <= momentum < 1:
            raise ValueError(f'momentum must lie in [0, 1), got {momentum}')
        super().__init__(
            *args,
            data_preprocessor=_build_preprocessor(data_preprocessor),
            **kwargs,
        )
        width = self.head.in_channels
        self.projector = nn.Sequential(
            nn.Linear(width, width),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
            nn.Linear(width, dim),
        )
        # The host's momentum is the share of the new.
        self.slow = ExponentialMovingAverage(self._encoder(), 1 - momentum)
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
        """Return the loss of two (N, 3, H, W) views, and queue the keys.

        Raises:
            ValueError: If there are not two views.
        """
        if not isinstance(inputs, list) or len(inputs) != 2:
            raise ValueError(
                'PaCoClassifier trains on two views of each image: put '
                'MultiView into the pipeline'
            )
        target = torch.cat([sample.gt_label for sample in data_samples])
        target = target.to(inputs[0].device)
        feats = self.extract_feat(inputs[0])
        queries = _normalize(self.projector(self.head.pre_logits(feats)))
        keys = self._encode_slowly(inputs[1])
        loss = self.head.loss_module(
            self.head(feats),
            queries,
            torch.cat([queries, keys, self.queue.clone()]),
            target,
            torch.cat([target, target, self.queue_labels.clone()]),
        )
        self._enqueue(keys, target)
        return {'loss': loss}

    def _encoder(self) -> '_Encoder':
        return _Encoder(self.backbone, self.neck, self.projector)

    @torch.no_grad()
    def _encode_slowly(self, images: torch.Tensor) -> torch.Tensor:
        """Return (N, D) keys of the slow copy, after its step."""
        self.slow.update_parameters(self._encoder())
        # So that BatchNorm does not tell which images are of one batch.
        images, order = batch_shuffle_ddp(images)
        return batch_unshuffle_ddp(self.slow(images), order)

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


def _build_preprocessor(cfg: dict | nn.Module | None) -> nn.Module:
    """Build it here: the host's classifier adds what this one refuses."""
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
