"""An optimizer that holds no frozen parameter."""

from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from torch import nn

from ltvl_mm.registry import OPTIM_WRAPPER_CONSTRUCTORS


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class TrainableOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Give the optimizer only the parameters with ``requires_grad``.

    mmengine's own constructor gives it all: a frozen CLIP then counts in the
    optimizer's parameters and checkpoints. Arguments are mmengine's.
    """

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """Build the wrapper for ``model``.

        Raises:
            ValueError: If nothing of the model trains.
        """
        if not any(weight.requires_grad for weight in model.parameters()):
            raise ValueError(
                'every parameter of the model is frozen: there is nothing to '
                'optimize; unfreeze a part or give the model an adapter'
            )
        wrapper = super().__call__(model)
        groups = wrapper.optimizer.param_groups
        for group in groups:
            group['params'] = [
                weight for weight in group['params'] if weight.requires_grad
            ]
        groups[:] = [group for group in groups if group['params']]
        return wrapper
