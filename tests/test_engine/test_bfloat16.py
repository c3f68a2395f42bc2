import logging

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import nn

from ltvl_mm.engine.optimizers import bfloat16


@pytest.fixture(params=[False, True], ids=['without', 'with'])
def fast(request, monkeypatch) -> bool:
    """Say that the processor is slower in bfloat16, or faster."""
    monkeypatch.setattr(
        bfloat16, 'prefers_bfloat16', lambda device: request.param
    )
    return request.param


def build_wrapper(model: nn.Module) -> OptimWrapper:
    return OPTIM_WRAPPERS.build(
        dict(
            type='ltvl_mm.BFloat16OptimWrapper',
            optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        )
    )


def test_the_forward_pass_alone_is_in_bfloat16_if_that_is_fast(fast):
    model = nn.Linear(4, 2)
    wrapper = build_wrapper(model)
    before = model.weight.detach().clone()
    with wrapper.optim_context(model):
        out = model(torch.ones(3, 4))
    assert out.dtype == (torch.bfloat16 if fast else torch.float32)
    wrapper.update_params(out.float().sum())
    assert model.weight.dtype == torch.float32
    assert torch.allclose(model.weight, before - 0.3)
    assert model(torch.ones(3, 4)).dtype == torch.float32


def test_a_processor_without_bfloat16_is_named_once(fast, caplog):
    model = nn.Linear(4, 2)
    wrapper = build_wrapper(model)
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        with caplog.at_level(logging.WARNING):
            for _ in range(2):
                with wrapper.optim_context(model):
                    pass
    finally:
        logger.removeHandler(caplog.handler)
    said = [r for r in caplog.records if 'bfloat16' in r.getMessage()]
    assert len(said) == (0 if fast else 1)


def test_attention_on_a_cpu_is_by_matrix_products_for_the_step_alone():
    model = nn.Linear(4, 2)
    wrapper = build_wrapper(model)
    before = torch.backends.cuda.flash_sdp_enabled()
    with wrapper.optim_context(model):
        assert not torch.backends.cuda.flash_sdp_enabled()
        assert torch.backends.cuda.math_sdp_enabled()
    assert torch.backends.cuda.flash_sdp_enabled() == before
