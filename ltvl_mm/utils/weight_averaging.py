"""Averages of the weights of several trainings of one model."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import torch

State = Mapping[str, torch.Tensor]


def average_states(
    states: Sequence[State], weights: Sequence[float] | None = None
) -> dict[str, torch.Tensor]:
    """Return the weighted mean of state dicts, tensor by tensor.

    Sums are in float64 and results in the type of the first state. Integers,
    such as counts of batches, are those of the last state with a weight > 0.

    Args:
        states: State dicts of one model, at least one.
        weights: A finite number >= 0 for each, not all 0; None for equal
            ones.

    Raises:
        ValueError: If there is no state, weights do not fit, states differ
            in names or shapes, or a mean is NaN.
    """
    if not states:
        raise ValueError('there are no weights to average; name a checkpoint')
    weights = [1.0] * len(states) if weights is None else list(weights)
    total = sum(weights)
    # NaN fails the first comparison, a sum of infinity the second.
    valid = all(one >= 0 for one in weights) and 0 < total < math.inf
    if len(weights) != len(states) or not valid:
        raise ValueError(
            f'expected a finite weight >= 0 for each of {len(states)} states, '
            f'not all 0, got {weights}'
        )
    for state in states[1:]:
        _check_same(states[0], state)
    # A state of weight 0 has no part: 0 times infinity would be NaN.
    used = [
        (weight / total, state)
        for weight, state in zip(weights, states, strict=True)
        if weight > 0
    ]
    found = {}
    for name, first in states[0].items():
        if first.is_floating_point() or first.is_complex():
            found[name] = _average(name, used).to(first.dtype)
        else:
            found[name] = used[-1][1][name].clone()
    return found


def merge_in_order(
    start: State, states: Iterable[State], momentum: float
) -> Iterator[dict[str, torch.Tensor]]:
    """Yield w <- (1 - momentum) w + momentum w_f for each state w_f.

    An exponential average, in which later states weigh most. Source: stage 1
    of LT-Soups, Aminbeidokhti et al. 2025 (arXiv 2511.10683), and its code,
    which starts at the zero-shot weights and has momentum 0.7.

    Args:
        start: Weights w to begin with.
        states: States w_f in their order.
        momentum: Share of each new state, in (0, 1].

    Raises:
        ValueError: If momentum lies outside (0, 1], or states differ in names
            or shapes.
    """
    if not 0 < momentum <= 1:
        raise ValueError(f'momentum must lie in (0, 1], got {momentum}')
    merged: State = start
    for state in states:
        merged = average_states([merged, state], [1 - momentum, momentum])
        yield merged


def _average(name: str, used: Sequence[tuple[float, State]]) -> torch.Tensor:
    """Return the weighted sum of a tensor; raise ValueError if it has NaN.

    Args:
        name: Name of the tensor.
        used: Shares with sum 1, and state dicts.
    """
    first = used[0][1][name]
    exact = torch.complex128 if first.is_complex() else torch.float64
    mean = torch.zeros_like(first, dtype=exact)
    for share, state in used:
        mean += share * state[name].to(exact)
    if mean.isnan().any():
        raise ValueError(
            f'the mean of {name} is not a number; leave out the training '
            f'whose weights are NaN or infinite'
        )
    return mean


def _check_same(first: State, other: State) -> None:
    """Raise ValueError if two states are not of one model."""
    differing = sorted(set(first) ^ set(other))
    if differing:
        raise ValueError(
            f'the states differ in {len(differing)} names, such as '
            f'{differing[0]}; average trainings of one config'
        )
    for name, tensor in first.items():
        if tensor.shape != other[name].shape:
            raise ValueError(
                f'{name} has shape {tuple(tensor.shape)} in one state and '
                f'{tuple(other[name].shape)} in another; average trainings '
                f'of one config'
            )
