"""Training under bfloat16 autocast, also on CPUs."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from mmengine.optim import OptimWrapper
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ltvl_mm.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Run the forward pass under bfloat16 autocast on any device.

    Needs no loss scaling, as bfloat16 has the exponents of float32. mmengine's
    ``AmpOptimWrapper`` refuses CPUs; those with AMX multiply bfloat16
    matrices seven times as fast as float32 ones. On a CPU, attention is
    computed by plain matrix products. Arguments are those of mmengine's
    ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enter autocast on the device of the model."""
        device = next(model.parameters()).device.type
        with (
            super().optim_context(model),
            torch.autocast(device, dtype=torch.bfloat16),
            # The fused kernel takes two to three times as long with
            # the few tokens of small images.
            sdpa_kernel(SDPBackend.MATH) if device == 'cpu' else nullcontext(),
        ):
            yield
