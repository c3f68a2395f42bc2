"""Write the config of a run as JSON, and read it without executing it."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ltvl_mm.utils.config_text import MAX_DEPTH, parse_config
from ltvl_mm.utils.io import write_json
from ltvl_mm.utils.regular_files import read_regular

CONFIG_FILE = 'config.json'
_MAX_BYTES = 4_000_000


def write_run_config(cfg: Config) -> None:
    """Write ``<work_dir>/config.json``, beside mmengine's ``.py`` dump.

    Args:
        cfg: Config of a training or test, complete and with ``work_dir``.
    """
    write_json(Path(cfg.work_dir) / CONFIG_FILE, to_json_value(cfg.to_dict()))


def to_json_value(value: Any) -> Any:  # noqa: ANN401
    """Return a config value as JSON holds it; what it cannot hold as repr."""
    if isinstance(value, Mapping):
        return {
            str(name): to_json_value(inner) for name, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [to_json_value(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if value is None or type(value) in (bool, int, float, str):
        return value
    return repr(value)


def read_config_text(file: Path, root: Path) -> str:
    """Return the text of a config file in a run folder.

    Args:
        file: ``config.json``, or a ``.py`` that mmengine dumped.
        root: The run folder. A link out of it is refused: the report shows
            the text to everybody who gets the page.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is not a regular file, too large, or a link out of
            the folder.
    """
    real = file.resolve()
    if not real.is_relative_to(root.resolve()):
        raise ValueError(
            f'{file} is a link to {real}, outside of the run folder; copy '
            f'the file into the folder if the report should show it'
        )
    data = read_regular(file, max_bytes=_MAX_BYTES)
    return data.decode('utf-8', 'replace')


def read_config_values(file: Path, text: str) -> dict[str, Any]:
    """Return the variables of a config; nothing is executed.

    Args:
        file: Its name decides the format.
        text: Its content.

    Raises:
        ValueError: If it holds anything but data; names the file.
    """
    try:
        if file.suffix == '.json':
            values = json.loads(text)
        else:
            values = parse_config(text)
        _check_depth(values)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f'{file} is not a config that can be read as data: '
            f'{str(error) or "it is nested too deeply"}'
        ) from None
    if not isinstance(values, dict):
        raise ValueError(
            f'{file} must hold an object with the variables of a config, got '
            f'a {type(values).__name__}'
        )
    return values


def _check_depth(value: Any, depth: int = 0) -> None:  # noqa: ANN401
    if depth > MAX_DEPTH:
        raise ValueError(f'it is nested deeper than {MAX_DEPTH} levels')
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple, set)):
        return
    for inner in value:
        _check_depth(inner, depth + 1)
