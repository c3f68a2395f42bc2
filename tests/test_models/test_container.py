"""CONTAINER: its size, shapes and formulas."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ltvl_mm.models import CONTAINER
from ltvl_mm.models.backbones.container_blocks import (
    ContainerBlock,
    MixedContainerBlock,
)

TOY = dict(
    dims=(8, 16),
    depths=(1, 2),
    mlp_ratios=(2, 3),
    patch_sizes=(4, 2),
    num_heads=4,
)


def count(module):
    return sum(weight.numel() for weight in module.parameters())


@pytest.fixture(scope='module')
def light():
    return CONTAINER('light', out_indices=(0, 1, 2, 3)).eval()


def test_light_has_the_published_number_of_parameters(light):
    sizes = [count(stage) for stage in light.stages]
    assert sizes == [234_240, 1_238_912, 8_477_120, 10_169_347]
    assert count(light) == 20_120_643
    assert count(light) + count(nn.Linear(512, 1000)) == 20_633_643


@pytest.mark.parametrize('size', [(64, 64), (96, 64)])
def test_stages_halve_the_side_for_any_multiple_of_32(light, size):
    with torch.no_grad():
        found = [tuple(out.shape) for out in light(torch.zeros(1, 3, *size))]
    assert found == [
        (1, dim, size[0] // stride, size[1] // stride)
        for dim, stride in ((64, 4), (128, 8), (320, 16), (512, 32))
    ]


def test_a_ragged_image_is_refused(light):
    with pytest.raises(ValueError, match='multiples of 32, got 64 x 70'):
        light(torch.zeros(1, 3, 64, 70))


def draw_block(block):
    """Give every weight and statistic of a block a value of its own."""
    generator = torch.Generator().manual_seed(0)
    for tensor in block.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape, generator=generator) - 0.4)
    for name, tensor in block.state_dict().items():
        if name.endswith('running_var'):
            tensor.abs_().add_(0.5)
    return block.eval()


def apply_mlp(block, x):
    """(C,) of one pixel through the second branch."""
    norm = block.norm2
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    x = (x - norm.running_mean) * scale + norm.bias
    first, last = block.mlp[0], block.mlp[3]
    inner = F.gelu(first.weight[:, :, 0, 0] @ x + first.bias)
    return last.weight[:, :, 0, 0] @ inner + last.bias


@pytest.mark.parametrize('mixed', [False, True])
@torch.no_grad()
def test_a_block_is_its_formula(mixed):
    dim, side, heads = 4, 3, 2
    block = (
        MixedContainerBlock(dim, 2, num_heads=heads)
        if mixed
        else ContainerBlock(dim, 2)
    )
    draw_block(block)
    image = torch.randn(1, dim, side, side)
    found = block(image)[0]

    x = image + block.position(image)
    inner = block.project_in(block.norm1(x))
    values = inner[:, -dim:]
    total = block.static(values)
    if mixed:
        query, key, value = inner[0].flatten(1).t().split(dim, dim=1)
        dynamic = torch.zeros(side * side, dim)
        for head in range(heads):
            part = slice(head * dim // heads, (head + 1) * dim // heads)
            scores = query[:, part] @ key[:, part].t() / (dim // heads) ** 0.5
            dynamic[:, part] = scores.softmax(-1) @ value[:, part]
        gate = torch.sigmoid(block.gate)
        dynamic = dynamic.t().reshape(1, dim, side, side)
        total = gate * dynamic + (1 - gate) * total
    x = (x + block.project_out(total))[0]
    for row in range(side):
        for column in range(side):
            pixel = x[:, row, column]
            expected = pixel + apply_mlp(block, pixel)
            torch.testing.assert_close(found[:, row, column], expected)


def test_attention_and_convolution_start_at_equal_shares():
    model = CONTAINER(TOY)
    gates = [block.gate for block in model.stages[1][2:]]
    assert [gate.sigmoid().item() for gate in gates] == [0.5, 0.5]
    norm = model.stages[0][1]
    assert (norm.weight == 1).all()
    assert (norm.bias == 0).all()


def test_gradients_reach_every_weight():
    model = CONTAINER(TOY, drop_path_rate=0.0)
    model(torch.randn(2, 3, 32, 32))[-1].square().sum().backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name


def test_frozen_stages_and_statistics_stay_as_they_are():
    model = CONTAINER(TOY, frozen_stages=1, norm_eval=True).train()
    assert not any(w.requires_grad for w in model.stages[0].parameters())
    assert all(w.requires_grad for w in model.stages[1].parameters())
    before = {name: value.clone() for name, value in model.named_buffers()}
    model(torch.randn(2, 3, 32, 32))
    for name, value in model.named_buffers():
        assert value.equal(before[name]), name
    assert CONTAINER(TOY).train().norm.training


def test_dropped_paths_grow_linearly_from_zero():
    model = CONTAINER('light', drop_path_rate=0.17)
    rates = [
        module.drop_path.drop_prob
        for module in model.modules()
        if isinstance(module, ContainerBlock)
    ]
    assert rates == pytest.approx([0.01 * number for number in range(18)])


def test_it_runs_under_autocast():
    model = CONTAINER(TOY)
    with torch.autocast('cpu', torch.bfloat16):
        (out,) = model(torch.randn(2, 3, 32, 32))
    assert out.isfinite().all()


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(arch='heavy'), "one of .'light'.*got 'heavy'"),
        (dict(arch=dict(dims=(8,))), r"got \['dims'\]"),
        (dict(arch=TOY | dict(depths=(1,))), "'depths': 1"),
        (dict(arch=TOY | dict(num_heads=5)), 'divide dim 16, got 5'),
        (dict(out_indices=(4,)), r'4 stages, got \(4,\)'),
        (dict(out_indices=()), r'got \(\)'),
        (dict(frozen_stages=5), '0 to 4, got 5'),
    ],
)
def test_what_is_no_container_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        CONTAINER(**change)
