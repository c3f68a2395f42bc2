"""Prefilter of images by products of 8-bit integers."""

import time
import warnings

import numpy as np
import torch
from mmengine.logging import print_log

from ltvl_mm.retrieval.search.float32_prefilter import (
    ClassLogits,
    Float32Prefilter,
)

# Images by which the gain of a prefilter is judged.
PROBE = 256
# Part of the sample whose rounding errors a prefilter is laid out for; images
# with larger ones pass without a test.
_COVERED = 0.995
# In place of no spread at all, when all images or classes are the same.
_TINY = 1e-12


class Int8Prefilter(Float32Prefilter):
    """The same test on logits from a product of 8-bit integers.

    It takes half the time of float32's. Let x' = (x - u) / c and P' = P c,
    entry by entry, so that x . P = x' . P' + u . P for any u and c > 0; u and
    c are mean and deviation of a sample, which makes the entries alike. Let
    q, Q be what rounding makes of x', P', and d = x' - q, D_k = P'_k - Q_k.

    1. score_k is s_k minus a soft or hard maximum of the others, whose
       derivative is a convex combination of theirs: along the way from
       (q, P') to (x', P') it moves by at most |d| max_j |P'_k - P'_j|;
    2. along the way from (q, Q) to (q, P') by at most |q| max_j |D_k - D_j|.
    3. The product of integers is exact (:func:`_is_exact` looks), and what
       scaling it to float32 rounds is below 2^-18 |x'| |P'|.
    4. A single logit moves by |d| |P'_k| + |q| |D_k| at most, and |P'_k| is
       at most max_j |P'_k - P'_j| where the mean of P' is 0.
    5. |d| and |q| are computed for every image; one for which they are larger
       than for 99.5 % of a sample passes unseen.

    Args:
        classes: The logits.
        sample: (M, D) float32 images to lay the grid out for.
    """

    def __init__(self, classes: ClassLogits, sample: torch.Tensor) -> None:
        if sample.shape[1] % 2:
            raise RuntimeError(f'an odd width, {sample.shape[1]}')
        shift = sample.mean(0)
        spread = sample.std(0, correction=0).clamp_(min=1e-6)
        step = min(
            (limit / 127 * spread for limit in (3.5, 4.0, 4.5, 5.0, 6.0, 8.0)),
            key=lambda step: (
                step.sum()
                * _find_usual(_measure_error((sample - shift) / step))
            ),
        )
        step *= torch.from_numpy(_find_signs(classes.weights * step.numpy()))
        self._scale = 1 / step
        self._shift = -shift * self._scale
        images = torch.addcmul(self._shift, sample, self._scale)
        error = _measure_error(images)
        self._max_error = _find_usual(error)
        self._max_length = _find_usual(images.norm(dim=1) + error)
        self._scaled = classes.weights * step.numpy()  # (K, D)
        self._offset = classes.weights @ shift.numpy().astype(np.float64)
        self._steps, self._rounded = _round_weights(self._scaled)
        super().__init__(classes)
        rest = self._scaled - self._rounded * self._steps[:, None]
        self.slack = 1.0001 * (
            self._max_error * _find_reach(self._scaled, classes.score)
            + self._max_length * _find_reach(rest, classes.score)
            + 2.0**-18
            * self._max_length
            * np.linalg.norm(self._scaled, axis=1).max()
        )
        if not _is_exact(self._rounded):
            raise RuntimeError(
                'products of 8-bit integers are not exact on this machine'
            )

    def find(self, images: torch.Tensor) -> np.ndarray:
        """Return the (M,) rows that pass of (B, D) float32 images."""
        scaled = torch.addcmul(self._shift, images, self._scale)
        error = _measure_error(scaled)
        length = torch.linalg.vector_norm(scaled, dim=1).add_(error)
        unseen = np.flatnonzero(
            (error.numpy() > self._max_error)
            | (length.numpy() > self._max_length)
        )
        passed = self._test_blocks(self._multiply(scaled))
        return np.union1d(passed, unseen)

    def _multiply(self, images: torch.Tensor) -> torch.Tensor:
        return _multiply_int8(images, self._packed)

    def _lay_out(self) -> None:
        self._packed = _pack_int8(
            self._rounded[self.order],
            self._steps[self.order],
            self._offset[self.order],
        )


def _find_usual(values: torch.Tensor) -> float:
    """Return what nearly all of (M,) values do not exceed."""
    return float(values.quantile(_COVERED))


def _measure_error(images: torch.Tensor) -> torch.Tensor:
    """Return the (B,) norms of what rounding to 8 bits takes away."""
    rounded = images.round().clamp_(-128, 127)
    return torch.linalg.vector_norm(rounded.sub_(images), dim=1)


def _find_signs(weights: np.ndarray) -> np.ndarray:
    """Return the (D,) signs, +1 or -1, that :func:`_round_weights` wants.

    Of two neighbors one changes its sign, in weights and images alike, if
    that makes the largest sum of two of one sign smaller.
    """
    spread = np.maximum(weights.std(1, keepdims=True), _TINY)
    pairs = (weights / spread).reshape(len(weights), -1, 2)
    same = np.where(pairs.prod(2) > 0, np.abs(pairs.sum(2)), 0).max(0)
    other = np.where(pairs.prod(2) < 0, np.abs(pairs @ [1, -1]), 0).max(0)
    signs = np.ones(pairs.shape[1:], np.float32)
    signs[other < same, 1] = -1
    return signs.ravel()


def _round_weights(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (K,) steps and (K, D) whole numbers in [-127, 127].

    Processors without VNNI add the products of two neighbors in 16 bits,
    where 255 a + 255 b must stay below 2^15: neighbors of one sign are
    limited to a sum of 128 (of different signs they cannot reach it).
    """
    best = np.full(len(weights), np.inf)
    best_steps, best_rounded = np.empty(len(weights)), np.empty_like(weights)
    for limit in (3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0):
        steps = np.maximum(limit * weights.std(1) / 127, _TINY)
        rounded = np.rint(weights / steps[:, None]).clip(-127, 127)
        pairs = rounded.reshape(len(weights), -1, 2)
        excess = np.maximum(np.abs(pairs.sum(2)) - 128, 0)
        excess *= pairs.prod(2) > 0
        larger = np.abs(pairs).argmax(2)[..., None]
        value = np.take_along_axis(pairs, larger, 2)
        value -= np.sign(value) * excess[..., None]
        np.put_along_axis(pairs, larger, value, 2)
        error = np.linalg.norm(weights - rounded * steps[:, None], axis=1)
        better = error < best
        best[better] = error[better]
        best_steps[better], best_rounded[better] = (
            steps[better],
            rounded[better],
        )
    return best_steps, best_rounded


def _find_reach(weights: np.ndarray, score: str) -> np.ndarray:
    """Return (K,) max_j |w_k - w_j|, and at least |w_k|."""
    reach = (weights**2).sum(1)
    if score == 'cosine':
        return np.sqrt(reach)
    vectors = torch.from_numpy(weights)
    for start in range(0, len(weights), 512):
        squares = torch.cdist(vectors[start : start + 512], vectors).square()
        reach[start : start + 512] = np.maximum(
            reach[start : start + 512], squares.amax(1).numpy()
        )
    return np.sqrt(reach)


def _pack_int8(
    weights: np.ndarray, steps: np.ndarray, offset: np.ndarray
) -> torch.ScriptObject:
    with warnings.catch_warnings():
        # torch means to drop such tensors; choose_screen does without then.
        warnings.filterwarnings('ignore', message='torch.quantize_per_tensor')
        quantized = torch._make_per_channel_quantized_tensor(
            torch.from_numpy(weights.astype(np.int8)),
            torch.from_numpy(steps),
            torch.zeros(len(steps), dtype=torch.long),
            0,
        )
    return torch.ops.quantized.linear_prepack(
        quantized, torch.from_numpy(offset.astype(np.float32))
    )


def _multiply_int8(
    images: torch.Tensor, packed: torch.ScriptObject
) -> torch.Tensor:
    return torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
        images, 1.0, 128, packed
    )


def _is_exact(weights: np.ndarray) -> bool:
    """Compare the product with whole numbers of the largest size."""
    generator = torch.Generator().manual_seed(0)
    dim = weights.shape[1]
    images = torch.randint(0, 256, (8, dim), generator=generator) - 128.0
    images[0], images[1] = 127.0, -128.0
    images[2:6] = torch.where(images[2:6] > 0, 127.0, -128.0)
    whole = torch.from_numpy(weights)
    found = _multiply_int8(
        images,
        _pack_int8(weights, np.ones(len(weights)), np.zeros(len(weights))),
    )
    # float32 holds whole numbers of this size to within one.
    return bool(((found - images.double() @ whole.T).abs() <= 2).all())


def choose_prefilter(
    exact: Float32Prefilter, sample: torch.Tensor, precision: str, device: str
) -> Int8Prefilter | None:
    """Return the prefilter of a precision; None for float32.

    Args:
        exact: Exact float32 prefilter to compare with.
        sample: (M, D) float32 images, M >= 0.
        precision: ``'float32'``, ``'int8'``, or ``'auto'`` for the faster one.
        device: Device of the search; 8-bit products need ``'cpu'``.

    Raises:
        ValueError: If int8 is asked for, but there is no sample.
    """
    if precision == 'int8':
        if not len(sample):
            raise ValueError(
                "precision='int8' is laid out on a sample of the images, but "
                "the filters keep none of them; use 'auto'"
            )
        return Int8Prefilter(exact.classes, sample)
    if precision == 'auto' and device == 'cpu' and len(sample) >= PROBE:
        return choose_screen(exact, sample)
    return None


def choose_screen(
    exact: Float32Prefilter, sample: torch.Tensor
) -> Int8Prefilter | None:
    """Return the 8-bit prefilter if it is the faster one on this machine.

    Args:
        exact: Exact float32 prefilter to compare with.
        sample: (M, D) float32 images, at least some thousand.
    """
    try:
        prefilter = Int8Prefilter(exact.classes, sample)
    except (RuntimeError, AttributeError) as error:  # not here, or inexact
        print_log(f'select in float32: {error}', 'current')
        return None
    batch = sample[:1024]
    gain = _time_product(exact, batch) / _time_product(prefilter, batch)
    return prefilter if gain > 1.2 else None


def _time_product(prefilter: Float32Prefilter, images: torch.Tensor) -> float:
    seconds = []
    for _ in range(4):
        start = time.thread_time()
        prefilter._multiply(images)
        seconds.append(time.thread_time() - start)
    return min(seconds)
