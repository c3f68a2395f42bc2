"""Samplers between every image alike and every class alike."""

import numpy as np

from ltvl_mm.datasets.samplers import ClassSampler
from ltvl_mm.registry import DATA_SAMPLERS
from ltvl_mm.structures.classification_dataset import ClassificationDataset
from ltvl_mm.utils.rng import make_generator


class _WeightedClassSampler(ClassSampler):
    """Draw class j with the probability that ``_weigh_classes`` gives it."""

    def _draw_epoch(self, count: int) -> np.ndarray:
        rng = make_generator(self.seed, self.epoch)
        classes = rng.choice(
            len(self._counts), size=count, p=self._weigh_classes()
        )
        return self._draw_images(rng, classes)

    def _weigh_classes(self) -> np.ndarray:
        raise NotImplementedError


@DATA_SAMPLERS.register_module()
class PowerSampler(_WeightedClassSampler):
    """Draw class j with probability ~ n_j^power, then one of its images.

    Source: p_j of Kang et al. 2020 (arXiv 1910.09217), Eq. 1, with q =
    power: 1 is every image alike, 0 every class alike, 1/2 square-root
    sampling.

    Args:
        dataset: Data set to sample from.
        power: Exponent of the class sizes, in [0, 1]; default 0.5.
        epoch_size: Samples of an epoch over all ranks; None (default) for the
            size of the data set.
        seed: Random seed, the same on all ranks; None (default) draws one.
        shuffle: Must be True; see :class:`.EpochSampler`.
        round_up: True (default) for equal numbers on all ranks; see
            :class:`.EpochSampler`.

    Raises:
        ValueError: If power lies outside [0, 1].
    """

    def __init__(
        self,
        dataset: ClassificationDataset,
        *,
        power: float = 0.5,
        epoch_size: int | None = None,
        seed: int | None = None,
        shuffle: bool = True,
        round_up: bool = True,
    ) -> None:
        if not 0 <= power <= 1:
            raise ValueError(f'power must lie in [0, 1], got {power}')
        super().__init__(
            dataset,
            epoch_size=epoch_size,
            seed=seed,
            shuffle=shuffle,
            round_up=round_up,
        )
        self.power = power

    def _weigh_classes(self) -> np.ndarray:
        weights = self._counts.astype(float) ** self.power
        return weights / weights.sum()


@DATA_SAMPLERS.register_module()
class ProgressivelyBalancedSampler(_WeightedClassSampler):
    """Begin with every image alike, and end with every class alike.

    p_j = (1 - t / T) n_j / n + (t / T) / K in epoch t of T. Source: Kang et
    al. 2020 (arXiv 1910.09217), Eq. 2.

    Args:
        dataset: Data set to sample from.
        max_epochs: Epochs T of the training, >= 1.
        epoch_size: Samples of an epoch over all ranks; None (default) for the
            size of the data set.
        seed: Random seed, the same on all ranks; None (default) draws one.
        shuffle: Must be True; see :class:`.EpochSampler`.
        round_up: True (default) for equal numbers on all ranks; see
            :class:`.EpochSampler`.

    Raises:
        ValueError: If there is no epoch, or, while sampling, an epoch lies
            beyond T.
    """

    def __init__(
        self,
        dataset: ClassificationDataset,
        *,
        max_epochs: int,
        epoch_size: int | None = None,
        seed: int | None = None,
        shuffle: bool = True,
        round_up: bool = True,
    ) -> None:
        if max_epochs < 1:
            raise ValueError(f'max_epochs must be >= 1, got {max_epochs}')
        super().__init__(
            dataset,
            epoch_size=epoch_size,
            seed=seed,
            shuffle=shuffle,
            round_up=round_up,
        )
        self.max_epochs = max_epochs

    def _weigh_classes(self) -> np.ndarray:
        if self.epoch > self.max_epochs:
            raise ValueError(
                f'epoch {self.epoch} lies beyond max_epochs='
                f'{self.max_epochs} of ProgressivelyBalancedSampler; give it '
                f"train_cfg's"
            )
        share = self.epoch / self.max_epochs
        return (1 - share) * self._counts / self._counts.sum() + share / len(
            self._counts
        )
