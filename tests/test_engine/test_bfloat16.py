import torch
from mmengine.registry import OPTIM_WRAPPERS
from torch import nn


def test_the_forward_pass_is_in_bfloat16_and_the_weights_are_not():
    model = nn.Linear(4, 2)
    wrapper = OPTIM_WRAPPERS.build(
        dict(
            type='ltvl_mm.BFloat16OptimWrapper',
            optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        )
    )
    before = model.weight.detach().clone()
    with wrapper.optim_context(model):
        out = model(torch.ones(3, 4))
    assert out.dtype == torch.bfloat16
    wrapper.update_params(out.float().sum())
    assert model.weight.dtype == torch.float32
    assert torch.allclose(model.weight, before - 0.3)
    assert model(torch.ones(3, 4)).dtype == torch.float32


def test_attention_on_a_cpu_is_by_matrix_products_for_the_step_alone():
    model = nn.Linear(4, 2)
    wrapper = OPTIM_WRAPPERS.build(
        dict(
            type='ltvl_mm.BFloat16OptimWrapper',
            optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        )
    )
    before = torch.backends.cuda.flash_sdp_enabled()
    with wrapper.optim_context(model):
        assert not torch.backends.cuda.flash_sdp_enabled()
        assert torch.backends.cuda.math_sdp_enabled()
    assert torch.backends.cuda.flash_sdp_enabled() == before
