"""Find, for the price of one matrix product, the few images that matter."""

from dataclasses import dataclass

import numpy as np
import torch

from ltvl_mm.retrieval.search.scores import find_bounds

# About so many classes share one maximum in the test of an image; the number
# of blocks is a multiple of 32, in which vector instructions are fastest.
_BLOCK = 16
_BLOCKS = 32


@dataclass(frozen=True)
class ClassLogits:
    """The linear map from images to logits.

    Args:
        weights: (K, D) float64; logits are ``images @ weights.T``, up to a
            number per image that changes no score.
        score: One of :data:`ltvl_mm.retrieval.options.SCORES`.
    """

    weights: np.ndarray
    score: str

    @property
    def tolerance(self) -> float:
        """Return the largest error of a score computed in float32.

        A dot product of D terms in any order is off by at most
        (D + 2) 2^-24 |x| |w|, the rounding of w to float32 included; a score
        is s_k minus a mean or maximum of other s_j, so twice that. exp, sum,
        log and the sum of both logarithms add less than 2^-16, and what
        rounding the result adds is below 2^-21 of it.
        """
        rows, dim = self.weights.shape
        radius = 1.002 * np.linalg.norm(self.weights, axis=1).max()
        return float(
            radius * (2 * (dim + 2) * 2.0**-24 + 2.0**-19)
            + (1 + np.log(rows)) * 2.0**-18
        )


def make_class_logits(
    queries: np.ndarray, temperature: float, score: str
) -> ClassLogits:
    """Return the map for (K, D) queries.

    Softmax and margin compare classes, so that the mean query is taken off:
    it changes no score, and shorter weights have smaller rounding errors.
    """
    if score == 'cosine':
        return ClassLogits(queries.astype(np.float64), score)
    centered = queries - queries.mean(0, dtype=np.float64)
    return ClassLogits(centered / temperature, score)


def _count_blocks(classes: int) -> int:
    if classes < 2 * _BLOCKS:
        return classes
    return _BLOCKS * -(-classes // (_BLOCK * _BLOCKS))


class Float32Prefilter:
    """Pass the images that may be among the best of a class.

    Let s be an image's K logits, b_k the bound of class k (see
    :func:`ltvl_mm.retrieval.search.scores.find_bounds`), e the error of a
    score.
    Classes of similar bounds form blocks B with m_B = max of s over B.

    1. The image matters to k only if s_k >= level(s) + b_k.
    2. s_k <= m_B, and b_k >= b_B, the least bound of its block.
    3. sum_k exp(s_k) >= sum_B exp(m_B), since every m_B is one of the s_k;
       and >= K, by Jensen, since the weights, and so the s_k, have mean 0.
    4. So an image with max_B (m_B - b_B) < log max(sum_B exp(m_B), K)
       matters to no class: K / 16 exponentials instead of K decide.
       For the margin the level is max_B m_B; for the cosine 0.
    5. Bounds are taken for T_k - e, so that errors keep images, and lose none.

    Args:
        classes: The logits.
        device: Device of the products.
    """

    def __init__(self, classes: ClassLogits, device: str = 'cpu') -> None:
        self.classes = classes
        self.device = torch.device(device)
        self.weights = torch.from_numpy(classes.weights.astype(np.float32)).to(
            self.device
        )
        self._blocks = _count_blocks(len(self.weights))
        self.slack = np.full(len(self.weights), classes.tolerance)
        self._thresholds: np.ndarray | None = None
        self.set_thresholds(np.full(len(self.weights), -np.inf))

    def set_thresholds(self, thresholds: np.ndarray) -> None:
        """Take the (K,) scores that an image has to reach from now on."""
        score, tolerance = self.classes.score, self.classes.tolerance
        self.bounds = find_bounds(thresholds - 2 * tolerance, score)
        if self._is_stale(thresholds):
            self._thresholds = thresholds.copy()
            # Column i * blocks + b is number i of block b, so that a block's
            # maximum is a maximum of whole vectors. A short block repeats its
            # last class: in another block it would count twice in step 3.
            size = -(-len(thresholds) // self._blocks)
            groups = np.array_split(
                np.argsort(thresholds, kind='stable'), self._blocks
            )
            self.order = np.stack(
                [np.pad(g, (0, size - len(g)), 'edge') for g in groups], 1
            ).ravel()
            self._lay_out()
        true = find_bounds(thresholds - tolerance, score)
        bounds = find_bounds(thresholds - tolerance - self.slack, score)
        # Against log K a logit may miss by the slack, against the other
        # logits by less, so that this much is taken off log K.
        with np.errstate(invalid='ignore'):  # inf - inf
            excess = np.nanmax(bounds - true + self.slack, initial=0)
        self._jensen = float(np.log(len(thresholds)) - excess)
        # What float32 cannot tell from 0 passes.
        bounds = bounds[self.order].reshape(-1, self._blocks).min(0) - 1e-30
        self._block_bounds = torch.from_numpy(bounds.astype(np.float32)).to(
            self.device
        )

    def find(self, images: torch.Tensor) -> np.ndarray:
        """Return the (M,) rows that pass of (B, D) float32 images."""
        return self._test_blocks(images @ self._columns)

    def find_logits(
        self, images: torch.Tensor
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the (M,) rows that pass, and their (M, K) logits.

        Args:
            images: (B, D) float32 of unit norm, on the device.
        """
        logits = images @ self._columns
        rows = self._test_blocks(logits)
        chosen = torch.from_numpy(rows).to(self.device)
        logits = logits.index_select(0, chosen)
        return rows, logits.index_select(1, self._places).cpu().numpy()

    def _lay_out(self) -> None:
        self._columns = self.weights[self.order].T.contiguous()
        places = np.empty(len(self.weights), np.int64)
        places[self.order] = np.arange(len(self.order))
        self._places = torch.from_numpy(places).to(self.device)

    def _test_blocks(self, logits: torch.Tensor) -> np.ndarray:
        maxima = self._find_maxima(logits)
        return self._test_maxima(maxima, maxima)

    def _find_maxima(self, logits: torch.Tensor) -> torch.Tensor:
        return logits.unflatten(1, (-1, self._blocks)).amax(1)

    def _test_maxima(
        self, lower: torch.Tensor, upper: torch.Tensor
    ) -> np.ndarray:
        """Return the (M,) images that pass step 4.

        Args:
            lower: (B, blocks) lower bounds of the maxima of the blocks.
            upper: (B, blocks) upper bounds.
        """
        if self.classes.score == 'softmax':
            # Relative to the largest, whose own term is left to log1p: at log
            # odds of 11 and more its rivals would be lost in rounding.
            top, best = lower.max(1, keepdim=True)
            reached = (upper - top - self._block_bounds).amax(1)
            rivals = (lower - top).exp_().scatter_(1, best, 0.0).sum(1)
            level = torch.maximum(rivals.log1p_(), self._jensen - top[:, 0])
            return np.flatnonzero((reached >= level).cpu().numpy())
        reached = (upper - self._block_bounds).amax(1)
        if self.classes.score == 'margin':
            level = lower.amax(1)
        else:
            level = torch.zeros_like(reached)
        return np.flatnonzero(reached.cpu().numpy() >= level.cpu().numpy())

    def _is_stale(self, thresholds: np.ndarray) -> bool:
        """Say whether sorting the classes anew would pay."""
        if self._thresholds is None:
            return True
        finite = np.isfinite(thresholds)
        moved = np.abs(thresholds[finite] - self._thresholds[finite])
        return bool(moved.sum() > 0.25 * len(moved))
