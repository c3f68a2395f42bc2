"""ResLT's loss: branches for all classes, the rarer and the rarest."""

import torch
import torch.nn.functional as F

from ltvl_mm.models.losses.hard_label_loss import HardLabelLoss
from ltvl_mm.models.losses.loss_arguments import average
from ltvl_mm.registry import MODELS


@MODELS.register_module()
class ResLTLoss(HardLabelLoss):
    """(1 - beta) CE(sum of branches) + beta (mean CE of the branches' own).

    The first branch is taught by all images, the second by those of the
    ``medium`` share of the classes that are rarest, the third by those of the
    ``tail`` share. Source: ResLT, Cui et al. 2023 (arXiv 2101.10633), Eq. 3
    to 5, and its code for the shares.

    Args:
        num_classes: K.
        beta: In [0, 1]: 0.99 on ImageNet-LT, 0.85 on iNaturalist 2018.
        medium: Share of the classes, in [0, 1]; 825 of ImageNet-LT's 1000.
        tail: The same for the third; 220 of 1000. None where there are two
            branches, as on iNaturalist 2018.
        loss_weight: Factor on the loss.

    Raises:
        ValueError: If a number lies outside its range.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        beta: float = 0.99,
        medium: float = 0.825,
        tail: float | None = 0.22,
        loss_weight: float = 1.0,
    ) -> None:
        for name, value in (('beta', beta), ('medium', medium)):
            if not 0 <= value <= 1:
                raise ValueError(f'{name} must lie in [0, 1], got {value}')
        if tail is not None and not 0 <= tail <= medium:
            raise ValueError(f'tail must lie in [0, {medium}], got {tail}')
        super().__init__(num_classes, loss_weight=loss_weight)
        self.beta = beta
        self.shares = (1.0, medium) if tail is None else (1.0, medium, tail)

    def compute_losses(
        self,
        logits: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return the (N,) losses of the images, before sample weights.

        Args:
            logits: (N, B, K) float32 logits of the branches.
            target: (N,) class indices; they choose the branches.
            weight: (N,) sample weights; None for 1.

        Raises:
            ValueError: If there are more or fewer branches than shares.
        """
        if logits.shape[1] != len(self.shares):
            raise ValueError(
                f'ResLTLoss is of {len(self.shares)} branches, got '
                f'{logits.shape[1]}; set branches of ResLTNeck'
            )
        self.check_class_counts()
        # Of equally frequent classes, the first counts as rarer.
        rank = self.class_counts.argsort(stable=True).argsort()
        places = rank[target] / len(rank)
        own = logits.new_zeros(len(logits))
        count = torch.zeros_like(own)  # branches that an image teaches
        for branch, share in enumerate(self.shares):
            taught = (places < share).to(own.dtype)
            own = own + taught * F.cross_entropy(
                logits[:, branch], target, reduction='none'
            )
            count = count + taught
        fused = F.cross_entropy(logits.sum(1), target, reduction='none')
        own = own / average(count, weight)
        return (1 - self.beta) * fused + self.beta * own
