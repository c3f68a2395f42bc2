"""How the host's Runner builds the optimiser."""

from ltvl_mm.engine.optimizers.trainable_parameters import (
    TrainableOptimWrapperConstructor,
)

__all__ = ['TrainableOptimWrapperConstructor']
