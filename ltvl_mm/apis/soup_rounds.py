"""Order of the runs of LT-Soups' merge, checked by their configs."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path

from mmengine.logging import print_log

from ltvl_mm.utils.config_walk import name_type, walk_config
from ltvl_mm.utils.run_config import (
    CONFIG_FILE,
    read_config_text,
    read_config_values,
)


def check_rounds(runs: Sequence[str | Path], per_round: int) -> None:
    """Check that each round has one imbalance, and that it rises.

    Runs without a config beside their checkpoint, or without an
    ``ImbalanceSubset`` in it, may be anywhere. A warning is logged if two
    rounds have the same imbalance.

    Args:
        runs: Checkpoints, or training folders, round by round.
        per_round: Runs of a round.

    Raises:
        ValueError: If the runs of a round differ in imbalance, or a round
            has a smaller one than the round before; names the right order.
    """
    found = [find_imbalance(run) for run in runs]
    last: float | None = None
    for start in range(0, len(runs), per_round):
        group = found[start : start + per_round]
        known = {one for one in group if one is not None}
        number = start // per_round
        if len(known) > 1:
            raise ValueError(
                f'round {number} mixes runs of different imbalance: '
                f'{_list_runs(runs, found, start, per_round)}; '
                f'{_explain_order(runs, found)}'
            )
        for imbalance in known:
            if last is not None and imbalance < last:
                raise ValueError(
                    f'the imbalance of the rounds falls in round {number}, '
                    f'from {_show(last)} to {_show(imbalance)}: '
                    f'{_list_runs(runs, found, start, per_round)}; '
                    f'{_explain_order(runs, found)}'
                )
            if imbalance == last:
                print_log(
                    f'round {number} has imbalance {_show(imbalance)}, as the '
                    f'round before. LT-Soups averages all runs of an '
                    f'imbalance in one round: --per-round '
                    f'{found.count(imbalance)}',
                    'current',
                    level=logging.WARNING,
                )
            last = imbalance


def find_imbalance(run: str | Path) -> float | None:
    """Return the imbalance of a run's training images by its config.

    Reads ``config.json`` of the folder, else the ``.py`` that mmengine
    dumped; nothing is executed.

    Args:
        run: Checkpoint in a training folder, or the folder.

    Returns:
        ``imbalance`` of its ``ImbalanceSubset``, infinite for all images;
        None if no config says it.
    """
    folder = Path(run) if Path(run).is_dir() else Path(run).parent
    for file in (folder / CONFIG_FILE, *sorted(folder.glob('*.py'))):
        if not file.is_file():
            continue
        try:
            text = read_config_text(file, folder)
            values = read_config_values(file, text)
        except (OSError, ValueError) as error:
            print_log(
                f'the imbalance of {run} is not checked: {error}',
                'current',
                level=logging.WARNING,
            )
            return None
        for part in walk_config(values.get('train_dataloader')):
            imbalance = part.get('imbalance', 0)
            if name_type(part) != 'ImbalanceSubset':
                continue
            if imbalance is None:
                return math.inf
            return imbalance if isinstance(imbalance, (int, float)) else None
        return None
    return None


def _list_runs(
    runs: Sequence[str | Path],
    found: Sequence[float | None],
    start: int,
    count: int,
) -> str:
    """Return the runs of a round with their imbalance."""
    texts = []
    for run, imbalance in zip(
        runs[start : start + count], found[start : start + count], strict=True
    ):
        text = 'unknown' if imbalance is None else _show(imbalance)
        texts.append(f'{run} (imbalance {text})')
    return ', '.join(texts)


def _explain_order(
    runs: Sequence[str | Path], found: Sequence[float | None]
) -> str:
    text = (
        'expected the runs of a round to have the same imbalance, and the '
        'rounds a rising one, as train_dataloader in the config.json of '
        'their folders has it'
    )
    known = [imbalance for imbalance in found if imbalance is not None]
    if len(known) < len(runs):
        return text
    order = sorted(range(len(runs)), key=known.__getitem__)
    return f'{text}; give {" ".join(str(runs[index]) for index in order)}'


def _show(imbalance: float) -> str:
    return 'unlimited' if math.isinf(imbalance) else f'{imbalance:g}'
