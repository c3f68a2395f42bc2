"""Trained experts that are asked only while they are needed."""

from typing import Any

import torch
import torch.nn.functional as F
from mmpretrain.models.heads import ClsHead
from mmpretrain.structures import DataSample

from ltvl_mm.models.backbones.expert_resnet import ExpertResNet
from ltvl_mm.models.classifiers.decoupled_classifier import DecoupledClassifier
from ltvl_mm.models.classifiers.expert_router import (
    ExpertRouter,
    average_experts,
    find_helped,
)
from ltvl_mm.models.classifiers.multiply_adds import count_multiply_adds
from ltvl_mm.models.heads.expert_cls_head import ExpertClsHead
from ltvl_mm.models.losses.loss_arguments import (
    check_hard_samples,
    check_no_batch_augments,
)
from ltvl_mm.registry import MODELS


@MODELS.register_module()
class RoutedClassifier(DecoupledClassifier):
    """Train routers between the experts of a trained model.

    An image is shown to the first expert, and to each next one only if a
    router says that it helps; the mean logits of those asked answer. Each
    prediction has ``experts_used`` and ``multiply_adds``, which
    ``RoutingCost`` averages. Source: the expert assignment of RIDE, Wang et
    al. 2021 (arXiv 2010.01809), section 3, and its code for the numbers.

    Args:
        stage_1: Checkpoint, or folder of the training, of the same model
            without routers.
        num_logits: Number of logits that the router reads; see
            :class:`ExpertRouter`.
        pos_weight: Loss weight of an image that later experts would predict
            correctly; a larger weight routes images to more experts.
        kwargs: Further arguments of mmpretrain's ImageClassifier; its backbone
            is an ``ExpertResNet``, its head an ``ExpertClsHead``.

    Raises:
        ValueError: If backbone and head are not these, with as many experts,
            there are fewer classes than ``num_logits``, or ``train_cfg``
            mixes images.
    """

    def __init__(
        self,
        *args: Any,
        stage_1: str,
        num_logits: int = 50,
        pos_weight: float = 100.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            *args,
            stage_1=stage_1,
            kept=('backbone', 'neck', 'head'),
            freeze_bn=True,  # their EAResNeXt sets frozen BatchNorms to eval
            **kwargs,
        )
        _check_experts(self.backbone, self.head)
        check_no_batch_augments(self)
        first = self.head.experts[0]
        if not 1 <= num_logits <= first.out_features:
            raise ValueError(
                f'num_logits must lie in [1, {first.out_features}], the '
                f'number of classes, got {num_logits}'
            )
        self.router = ExpertRouter(
            first.in_features,
            num_experts=len(self.head.experts),
            num_logits=num_logits,
        )
        self.pos_weight = pos_weight
        self._answer = ClsHead()
        self._costs: dict[tuple, list[int]] = {}

    def forward(
        self,
        inputs: torch.Tensor,
        data_samples: list[DataSample] | None = None,
        mode: str = 'tensor',
    ) -> torch.Tensor | dict | list[DataSample]:
        """Return (N, K) logits, samples with predictions, or losses."""
        if mode == 'tensor':
            return self.route(inputs)[0]
        return super().forward(inputs, data_samples, mode)

    def loss(
        self, inputs: torch.Tensor, data_samples: list[DataSample]
    ) -> dict[str, torch.Tensor]:
        """Return the binary cross-entropy of the routers.

        Raises:
            ValueError: If labels are soft.
        """
        check_hard_samples(data_samples, self)
        with torch.no_grad():
            feats = self.extract_feat(inputs)
            means = average_experts(self.head.forward_experts(feats))
        target = torch.cat([sample.gt_label for sample in data_samples])
        helped = find_helped(means, target.to(means.device))
        scores = [
            self.router(feat, means[:, number], number)
            for number, feat in enumerate(feats[:-1])
        ]
        loss = F.binary_cross_entropy_with_logits(
            torch.stack(scores, 1).float(),
            helped.float(),
            pos_weight=means.new_tensor(self.pos_weight),
        )
        return {'loss': loss}

    def predict(
        self,
        inputs: torch.Tensor,
        data_samples: list[DataSample] | None = None,
        **kwargs: Any,
    ) -> list[DataSample]:
        """Return samples with scores, experts used and multiply-adds.

        Args:
            inputs: (N, 3, H, W) images.
            data_samples: N samples to fill; None for new ones.
            kwargs: Further arguments of mmpretrain's ``ClsHead.predict``.
        """
        logits, used = self.route(inputs)
        samples = self._answer.predict((logits,), data_samples, **kwargs)
        size = tuple(inputs.shape[1:])
        if size not in self._costs:
            self._costs[size] = self._count_costs(size)
        for sample, count in zip(samples, used.tolist(), strict=True):
            sample.set_field(count, 'experts_used')
            sample.set_field(self._costs[size][count - 1], 'multiply_adds')
        return samples

    def route(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Show (N, 3, H, W) images to as many experts as they need.

        Returns:
            (N, K) mean logits, and the (N,) number of experts they are of.
        """
        (shared,) = self.backbone.trunk(images)
        used = torch.ones(len(images), dtype=torch.int64, device=images.device)
        waiting = torch.arange(len(images), device=images.device)
        logits, feat = self._forward_expert(0, shared)
        for number in range(1, len(self.backbone.experts)):
            means = logits[waiting] / number
            asks = self.router(feat, means, number - 1) > 0
            waiting = waiting[asks]
            if not len(waiting):
                break
            more, feat = self._forward_expert(number, shared[waiting])
            logits = logits.index_add(0, waiting, more)
            used[waiting] += 1
        return logits / used[:, None], used

    def _forward_expert(
        self, number: int, shared: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (N, K) logits and (N, F) features of an expert."""
        (feat,) = self.neck((self.backbone.experts[number](shared),))
        return self.head.forward_expert(number, feat), feat

    @torch.no_grad()
    def _count_costs(self, size: tuple[int, int, int]) -> list[int]:
        """Return the multiply-adds of an image with 1, ..., E experts."""
        image = next(self.parameters()).new_zeros(1, *size)
        with torch.autocast(image.device.type, enabled=False):
            (shared,) = self.backbone.trunk(image)
            expert = self.backbone.experts[0]  # all are alike
            logits, feat = self._forward_expert(0, shared)
            trunk = count_multiply_adds(self.backbone.trunk, image)
            own = (
                count_multiply_adds(expert, shared)
                + count_multiply_adds(self.neck, (expert(shared),))
                + count_multiply_adds(self.head.experts[0], feat)
            )
            routing = count_multiply_adds(self.router, feat, logits)
        total = len(self.backbone.experts)
        return [
            trunk + count * own + min(count, total - 1) * routing
            for count in range(1, total + 1)
        ]


def _check_experts(backbone: object, head: object) -> None:
    if not isinstance(backbone, ExpertResNet) or not isinstance(
        head, ExpertClsHead
    ):
        raise ValueError(
            f'RoutedClassifier needs ExpertResNet and ExpertClsHead, got '
            f'{type(backbone).__name__} and {type(head).__name__}'
        )
    counts = len(backbone.experts), len(head.experts)
    if counts[0] != counts[1]:
        raise ValueError(
            f'backbone and head must have as many experts, got {counts[0]} '
            f'and {counts[1]}'
        )
