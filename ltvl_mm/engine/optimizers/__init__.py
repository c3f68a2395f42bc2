"""Constructors of optimizers for mmengine's Runner."""

from ltvl_mm.utils.lazy_imports import attach_names

__getattr__, __dir__, __all__ = attach_names(
    __name__,
    {
        'bfloat16': ['BFloat16OptimWrapper'],
        'trainable_parameters': ['TrainableOptimWrapperConstructor'],
    },
)
