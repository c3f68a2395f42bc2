"""How the host's Runner builds the optimiser."""

from ltvl_mm.engine.optimizers.bfloat16 import BFloat16OptimWrapper
from ltvl_mm.engine.optimizers.trainable_parameters import (
    TrainableOptimWrapperConstructor,
)

__all__ = ['BFloat16OptimWrapper', 'TrainableOptimWrapperConstructor']
