"""Long-tailed visual recognition with vision-language models."""

from ltvl_mm.utils.compat import (
    allow_host_checkpoints,
    silence_missing_operators,
    warn_of_mixed_stacks,
)
from ltvl_mm.version import __version__

__all__ = ['__version__']

warn_of_mixed_stacks()
silence_missing_operators()
allow_host_checkpoints()
