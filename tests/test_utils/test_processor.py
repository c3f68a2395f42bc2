import pytest
import torch

from ltvl_mm.utils.processor import multiplies_bfloat16


@pytest.mark.parametrize(
    ('found', 'fast'),
    [
        ({'avx2': True, 'avx512_bf16': False, 'amx_bf16': False}, False),
        ({'avx512_f': True, 'avx512_bf16': True}, True),
        ({'amx_bf16': True}, True),
        ({'neon': True, 'bf16': True}, True),
        ({'neon': True}, False),
    ],
)
def test_the_instructions_of_a_processor_decide(monkeypatch, found, fast):
    monkeypatch.setattr(
        torch.cpu, 'get_capabilities', lambda: found, raising=False
    )
    assert multiplies_bfloat16('cpu') is fast
    assert multiplies_bfloat16(torch.device('cpu')) is fast
    assert multiplies_bfloat16('cuda:1')


def test_an_older_torch_asks_onednn(monkeypatch):
    monkeypatch.delattr(torch.cpu, 'get_capabilities', raising=False)
    assert isinstance(multiplies_bfloat16('cpu'), bool)
