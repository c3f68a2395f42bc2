"""Long-tailed visual recognition with vision-language models.

Importing it is quick: what programs call is imported at first use, and
mmengine is prepared when it is imported itself.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ltvl_mm.utils.import_hooks import run_after_import, wrap_import
from ltvl_mm.version import __version__

if TYPE_CHECKING:
    from ltvl_mm.apis import (
        LongTailInferencer,
        RetrievalSettings,
        RunOptions,
        check_retrieval,
        embed,
        get_model,
        list_models,
        retrieve,
        run_tackle,
    )

__all__ = [
    'LongTailInferencer',
    'RetrievalSettings',
    'RunOptions',
    '__version__',
    'check_retrieval',
    'embed',
    'get_model',
    'list_models',
    'retrieve',
    'run_tackle',
]


def _call(module: str, name: str) -> Any:  # noqa: ANN401
    return getattr(import_module(f'ltvl_mm.utils.{module}'), name)()


run_after_import('mmengine', lambda: _call('compat', 'warn_of_mixed_stacks'))
run_after_import(
    'mmengine', lambda: _call('compat', 'silence_missing_operators')
)
run_after_import(
    'mmengine.config', lambda: _call('compat', 'register_config_scope')
)
# The loaders live in mmengine.runner, which takes a second to import. They
# are replaced before anything outside mmengine can call them.
run_after_import(
    'mmengine.runner',
    lambda: _call('mmengine_checkpoints', 'use_safe_loaders'),
)
wrap_import(
    'mmpretrain.datasets', lambda: _call('compat', 'drop_debug_prints')
)
run_after_import(
    'PIL.EpsImagePlugin', lambda: _call('compat', 'disable_ghostscript')
)


def __getattr__(name: str) -> object:
    """Import what programs call when they do: a config needs none of it."""
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module('ltvl_mm.apis'), name)
