"""Words of ``--cfg-options``."""

from collections.abc import Mapping


def format_config_options(options: Mapping[str, object]) -> list[str]:
    """Return the words after ``--cfg-options`` that are read as ``options``.

    Args:
        options: Key -> number, string, bool, None, or a list or tuple.
    """
    return [f'{key}={_format_value(one)}' for key, one in options.items()]


def _format_value(value: object) -> str:
    """Return a value as mmengine's ``DictAction`` reads it."""
    if isinstance(value, (list, tuple)):
        words = ','.join(_format_value(one) for one in value)
        return f'[{words}]' if isinstance(value, list) else f'({words})'
    return str(value)
