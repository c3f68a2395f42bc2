"""Long-tailed visual recognition with vision-language models."""

from importlib import import_module
from typing import TYPE_CHECKING

from ltvl_mm.utils.compat import (
    disable_ghostscript,
    silence_missing_operators,
    warn_of_mixed_stacks,
)
from ltvl_mm.utils.mmengine_checkpoints import use_safe_loaders
from ltvl_mm.version import __version__

if TYPE_CHECKING:
    from ltvl_mm.apis import (
        LongTailInferencer,
        check_retrieval,
        embed,
        get_model,
        list_models,
        retrieve,
        run_tackle,
    )

__all__ = [
    'LongTailInferencer',
    '__version__',
    'check_retrieval',
    'embed',
    'get_model',
    'list_models',
    'retrieve',
    'run_tackle',
]

warn_of_mixed_stacks()
silence_missing_operators()
use_safe_loaders()
disable_ghostscript()


def __getattr__(name: str) -> object:
    """Import what programs call when they do: a config needs none of it."""
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module('ltvl_mm.apis'), name)
