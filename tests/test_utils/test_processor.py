import pytest
import torch

from ltvl_mm.utils.processor import has_amx, prefers_bfloat16


@pytest.mark.parametrize(
    ('found', 'fast'),
    [
        ({'avx2': True, 'avx512_bf16': False, 'amx_bf16': False}, False),
        ({'avx512_f': True, 'avx512_bf16': True}, False),
        ({'amx_bf16': True}, True),
        ({'neon': True, 'bf16': True}, True),
        ({'neon': True}, False),
    ],
)
def test_the_instructions_of_a_processor_decide(monkeypatch, found, fast):
    monkeypatch.setattr(
        torch.cpu, 'get_capabilities', lambda: found, raising=False
    )
    assert prefers_bfloat16('cpu') is fast
    assert prefers_bfloat16(torch.device('cpu')) is fast
    assert prefers_bfloat16('cuda:1')
    assert has_amx() is found.get('amx_bf16', False)


@pytest.mark.parametrize('amx', [True, False])
def test_an_older_torch_is_asked_for_amx(monkeypatch, amx):
    monkeypatch.delattr(torch.cpu, 'get_capabilities', raising=False)
    monkeypatch.setattr(
        torch.cpu, '_is_amx_tile_supported', lambda: amx, raising=False
    )
    assert prefers_bfloat16('cpu') is amx
    assert has_amx() is amx
