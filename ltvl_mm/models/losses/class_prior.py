"""Base class of losses that depend on the images per class."""

import torch
from torch import nn

# Log prior of a class without a training image: its share of the softmax is
# then 0 to float32, and, unlike -inf, it makes no NaN with soft labels.
ABSENT = -100.0


class ClassPrior(nn.Module):
    """A loss that depends on the images per class.

    ``ClassCountsHook`` sets them from the training data set, and a checkpoint
    carries them.

    Args:
        num_classes: K.
    """

    class_counts: torch.Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        # Not integers: retrieved images may count as their probability.
        counts = torch.zeros(num_classes, dtype=torch.float32)
        self.register_buffer('class_counts', counts)
        self._known = False

    def set_class_counts(self, counts: torch.Tensor) -> None:
        """Take the (K,) images per class, whole numbers or not.

        Raises:
            ValueError: If they are of another number of classes.
        """
        if len(counts) != len(self.class_counts):
            raise ValueError(
                f'{type(self).__name__} has num_classes='
                f'{len(self.class_counts)}, but the training data set has '
                f'{len(counts)} classes'
            )
        self.class_counts.copy_(counts)
        self._known = False

    def check_class_counts(self) -> None:
        """Raise ValueError if the counts are not set."""
        if not self._known:  # asked once: it waits for the device
            if not self.class_counts.any():
                raise ValueError(
                    f'{type(self).__name__} does not know the images per '
                    f"class; add dict(type='ltvl_mm.ClassCountsHook') to "
                    f'custom_hooks'
                )
            self._known = True

    def log_prior(self) -> torch.Tensor:
        """Return the (K,) float32 log of each class's share of the images.

        Raises:
            ValueError: If the counts are not set.
        """
        self.check_class_counts()
        counts = self.class_counts.float()
        logs = torch.log(counts / counts.sum())
        return logs.clamp(min=ABSENT)
