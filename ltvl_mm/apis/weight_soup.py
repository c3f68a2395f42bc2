"""Average trainings of one config and write the checkpoints."""

from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from ltvl_mm.apis.soup_rounds import check_rounds
from ltvl_mm.utils.checkpoints import read_weights, write_state
from ltvl_mm.utils.weight_averaging import average_states, merge_in_order

# How names of checkpoints end.
SUFFIXES = ('.pth', '.pt', '.safetensors')


def average_runs(
    runs: Sequence[str | Path],
    out: str | Path,
    *,
    weights: Sequence[float] | None = None,
) -> None:
    """Write the mean of the weights of several trainings.

    Args:
        runs: Checkpoints, or training folders.
        out: File of the weights, ``.pth``, ``.pt`` or ``.safetensors``,
            which loads as a checkpoint.
        weights: A finite number >= 0 for each run, not all 0; None for equal
            ones.

    Raises:
        ValueError: If ``out`` has another suffix, a run is missing or has
            NaN, weights do not fit, or runs are of different models.
    """
    if Path(out).suffix not in SUFFIXES:
        raise ValueError(
            f'{out} does not end in {", ".join(SUFFIXES)}: the mean of all '
            f'runs is one checkpoint; name a file such as {out}.pth, or merge '
            f'in rounds (--merge), which are written to a folder'
        )
    write_state(out, average_states([read_weights(r) for r in runs], weights))


def merge_runs(
    runs: Sequence[str | Path],
    out: str | Path,
    *,
    start: str | Path,
    momentum: float = 0.7,
    per_round: int = 1,
) -> list[Path]:
    """Write the rounds of LT-Soups' merge, one checkpoint each.

    See :func:`ltvl_mm.utils.weight_averaging.merge_in_order`.

    Args:
        runs: Checkpoints, or training folders, in the order of their
            subsets' imbalance, round by round.
        out: Folder of ``round_0.pth``, ``round_1.pth``, ...
        start: Config whose initial weights are the start, or a checkpoint.
        momentum: Share of each new round, in (0, 1].
        per_round: Runs whose mean is a round, >= 1.

    Raises:
        ValueError: If runs do not make whole rounds, their configs name
            another order, ``out`` is named as a file, a run is missing, or
            they are of different models.
    """
    if Path(out).suffix in SUFFIXES:
        raise ValueError(
            f'{out} is named as a checkpoint, but rounds are written to a '
            f'folder as round_0.pth, round_1.pth, ...; name a folder'
        )
    if per_round < 1 or len(runs) % per_round:
        raise ValueError(
            f'{len(runs)} runs are not whole rounds of {per_round}; give '
            f'--per-round as many runs as a round has'
        )
    check_rounds(runs, per_round)
    states = (
        average_states([read_weights(r) for r in runs[i : i + per_round]])
        for i in range(0, len(runs), per_round)
    )
    files = []
    begin = read_start(start)
    for number, state in enumerate(merge_in_order(begin, states, momentum)):
        files.append(Path(out) / f'round_{number}.pth')
        write_state(files[-1], state)
    return files


def read_start(source: str | Path) -> dict[str, torch.Tensor]:
    """Return initial weights of a config, or the weights of a checkpoint."""
    if Path(source).suffix != '.py':
        return read_weights(source)
    cfg = Config.fromfile(source)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg.model)
        model.init_weights()
    return model.state_dict()
