"""Base class of losses for hard labels that depend on class counts."""

import torch

from ltvl_mm.models.losses.loss_arguments import check_hard_labels
from ltvl_mm.models.losses.per_image_loss import PerImageLoss


class HardLabelLoss(PerImageLoss):
    """Base class of losses for hard labels, one class per image.

    Losses depend on the images per class and are reduced as those of
    mmpretrain. Subclasses implement ``compute_losses``.

    Args:
        num_classes: Number of classes K.
        loss_weight: Weight of the loss; default 1.
    """

    def check_target(self, target: torch.Tensor) -> None:
        """Raise ValueError if the labels of a batch are soft.

        Args:
            target: (N,) class indices; (N, K) soft labels raise.
        """
        check_hard_labels(target, self)
