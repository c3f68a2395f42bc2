"""Prefilter of images by a product in bfloat16."""

import numpy as np
import torch

from ltvl_mm.retrieval.search.float32_prefilter import (
    ClassLogits,
    Float32Prefilter,
)
from ltvl_mm.utils.processor import has_amx

# Rounding to the 8 bits of a bfloat16 changes a number by at most this share
# of it; a little more, since a share of the rounded number is taken.
_ROUNDING = 1.01 * 2.0**-8
# Below this, a product in float32 is as fast as rounding and a second test.
_MANY_CLASSES = 512
# Images of unit norm are as long as this, or shorter.
_LENGTH = 1.002
# For what float32 rounds in the bound itself.
_MARGIN = 1.001


class BFloat16Prefilter(Float32Prefilter):
    """The same test on logits from a product in bfloat16.

    With AMX the product takes a seventh of float32's time (1,024 images of
    512 entries, 1,000 or 8,142 classes, Intel Xeon, torch 2.14). It passes
    more images than needed, and never fewer. Let q and Q_k be what rounding
    makes of x and P_k; d = x - q, D_k = P_k - Q_k and s_k = q . Q_k.

    1. A score is a logit minus a soft or hard maximum of the others, whose
       derivative is a convex combination of theirs. So the scores from s are
       off by at most |d| max |P_j - P_k| + |q| max |D_j - D_k|, which is at
       most 2 (|d| max |P_k| + |q| max |D_k|); a single logit by half of it.
    2. The sums of s are float32, whose error the tolerance covers, except
       that |q| |Q_k| may be 1.008 times |x| |P_k|.
    3. The result is rounded to r_k, and s_k lies within a share u of r_k,
       above or below. The larger end stands for what an image reaches, the
       smaller for the level that it has to reach. Both ends grow with r_k,
       so that those of the maxima of the blocks are enough.
    4. The classes of the best block are tested by their score, not by log p
       as in float32: near p = 1 all scores have the same log p but for small
       differences, which the errors of steps 1 and 3 exceed.

    Args:
        classes: The logits.
    """

    def __init__(self, classes: ClassLogits) -> None:
        super().__init__(classes)
        weights = classes.weights
        rounded = self.weights.bfloat16().double().numpy()
        self._radius = float(np.linalg.norm(weights, axis=1).max())
        self._weight_error = float(
            np.linalg.norm(weights - rounded, axis=1).max()
        )
        self.slack = 1.02 * self.slack

    def set_thresholds(self, thresholds: np.ndarray) -> None:
        """Take the (K,) scores that an image has to reach from now on."""
        super().set_thresholds(thresholds)
        limits = thresholds - self.classes.tolerance - self.slack
        limits = limits[self.order].reshape(-1, self._blocks).min(0)
        self._block_limits = torch.from_numpy(limits.astype(np.float32))

    def find(self, images: torch.Tensor) -> np.ndarray:
        """Return the (M,) rows that pass of (B, D) float32 images."""
        rounded = images.bfloat16()
        error = torch.linalg.vector_norm(rounded.float().sub_(images), dim=1)
        slack = (self._radius + self._weight_error) * error
        slack += _LENGTH * self._weight_error
        maxima = self._find_maxima(rounded @ self._rounded_columns).float()
        width = _ROUNDING * maxima.abs()
        lower = maxima - width
        upper = maxima + width + 2 * _MARGIN * slack[:, None]
        if self.classes.score == 'cosine':
            return self._test_maxima(lower, upper)
        top = maxima.argmax(1, keepdim=True)
        best = self._test_best(lower, upper, top)
        others = self._test_maxima(lower, upper.scatter(1, top, -np.inf))
        return np.union1d(best, others)

    def _test_best(
        self, lower: torch.Tensor, upper: torch.Tensor, top: torch.Tensor
    ) -> np.ndarray:
        """Return the (M,) rows whose best block reaches its threshold.

        Args:
            lower: (B, blocks) lower bounds of the maxima of the blocks.
            upper: (B, blocks) upper bounds.
            top: (B, 1) best block of each image.
        """
        reached = upper.gather(1, top)[:, 0]
        rivals = lower.scatter(1, top, -np.inf)
        if self.classes.score == 'margin':
            level = rivals.amax(1)
        else:
            # By Jensen: the mean of the other logits is -s_k / (K - 1).
            others = len(self.weights) - 1
            level = torch.maximum(
                rivals.logsumexp(1), np.log(others) - reached / others
            )
        passed = reached - level >= self._block_limits[top[:, 0]]
        return np.flatnonzero(passed.numpy())

    def _lay_out(self) -> None:
        super()._lay_out()
        self._rounded_columns = self._columns.bfloat16()


def choose_prefilter(
    exact: Float32Prefilter, product: str
) -> BFloat16Prefilter | None:
    """Return the prefilter for a product; None for float32 alone.

    Args:
        exact: Float32 prefilter of the search.
        product: One of :data:`ltvl_mm.retrieval.options.PRODUCTS`.
            ``'auto'`` takes bfloat16 on a processor with AMX, from 512 classes
            on.

    Raises:
        ValueError: If bfloat16 is asked for on a device other than the CPU.
    """
    on_cpu = exact.device.type == 'cpu'
    if product == 'auto':
        fast = on_cpu and has_amx()
        wide = len(exact.weights) >= _MANY_CLASSES
        product = 'bfloat16' if fast and wide else 'float32'
    if product == 'float32':
        return None
    if not on_cpu:
        raise ValueError(
            f"product='bfloat16' needs device='cpu', got {str(exact.device)!r}"
        )
    return BFloat16Prefilter(exact.classes)
