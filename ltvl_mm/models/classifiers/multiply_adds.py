"""Count the multiply-adds of a module."""

from mmengine.analysis import FlopAnalyzer
from torch import nn


def count_multiply_adds(module: nn.Module, *inputs: object) -> int:
    """Return the multiply-adds of a forward pass, as mmengine counts them.

    As ``flops`` of mmengine's ``get_model_complexity_info``, which has no
    way to be silent about what it does not count: additions, maxima.

    Args:
        module: In the mode it is in.
        inputs: Inputs of its forward; tensors, or tuples of them. Neither
            gradients nor autocast may be on: mmengine traces.
    """
    counter = FlopAnalyzer(module, inputs)
    counter.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return int(counter.total())
