"""Pictures of data and results: the only place that draws."""

from ltvl_mm.utils.lazy_imports import attach_names

__getattr__, __dir__, __all__ = attach_names(
    __name__,
    {
        'long_tail_vis_hook': ['LongTailVisHook'],
    },
)
