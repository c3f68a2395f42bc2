"""Training under bfloat16 autocast, also on CPUs that multiply bfloat16."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ltvl_mm.registry import OPTIM_WRAPPERS
from ltvl_mm.utils.processor import prefers_bfloat16


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Run the forward pass under bfloat16 autocast where that is fast.

    Needs no loss scaling, as bfloat16 has the exponents of float32. mmengine's
    ``AmpOptimWrapper`` refuses CPUs; those with AMX multiply bfloat16
    matrices seven times as fast as float32 ones. Other CPUs compute in
    float32, which is faster there, and the log says so. On a CPU, attention is
    computed by plain matrix products. Arguments are those of mmengine's
    ``OptimWrapper``.
    """

    _warned = False

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enter autocast on the device of the model."""
        device = next(model.parameters()).device.type
        fast = prefers_bfloat16(device)
        if not fast and not self._warned:
            self._warned = True
            print_log(
                'This processor is faster in float32 than in bfloat16: '
                'training in float32.',
                logger='current',
                level=logging.WARNING,
            )
        with (
            super().optim_context(model),
            torch.autocast(device, dtype=torch.bfloat16, enabled=fast),
            # The fused kernel takes two to three times as long with
            # the few tokens of small images.
            sdpa_kernel(SDPBackend.MATH) if device == 'cpu' else nullcontext(),
        ):
            yield
