from types import SimpleNamespace

import torch
from mmengine.registry import HOOKS
from torch import nn


def test_the_hook_changes_the_format_and_no_value():
    model = nn.Conv2d(3, 4, 3)
    before = model.weight.detach().clone()
    hook = HOOKS.build(dict(type='ltvl_mm.ChannelsLastHook'))
    hook.before_run(SimpleNamespace(model=model))
    assert model.weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(model.weight, before)
    out = model(torch.randn(2, 3, 8, 8))
    assert out.is_contiguous(memory_format=torch.channels_last)
