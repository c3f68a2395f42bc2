"""Weights of CONTAINER-Light under its authors' names."""

import pytest
import torch

from ltvl_mm.models import CONTAINER
from ltvl_mm.models.backbones.container_weights import rename_container_weights

STATISTICS = ('running_mean', 'running_var', 'num_batches_tracked')


def list_theirs():
    """Names and shapes, written out as their models.py builds them."""
    shapes = {}

    def add(name, *shape, norm=False):
        shapes[f'{name}.weight'] = shape
        shapes[f'{name}.bias'] = shape[:1]
        if norm:
            for part in STATISTICS[:2]:
                shapes[f'{name}.{part}'] = shape
            shapes[f'{name}.{STATISTICS[2]}'] = ()

    before = 3
    stages = zip(
        (64, 128, 320, 512), (3, 4, 8, 3), (8, 8, 4, 4), (4, 2, 2, 2),
        strict=True,
    )  # fmt: skip
    for number, (dim, depth, ratio, size) in enumerate(stages, 1):
        add(f'patch_embed{number}.proj', dim, before, size, size)
        add(f'patch_embed{number}.norm', dim)
        for block in range(depth):
            path = f'blocks{number}.{block}'
            add(f'{path}.pos_embed', dim, 1, 3, 3)
            add(f'{path}.norm1', dim, norm=True)
            inner = 3 * dim if number == 4 else dim
            add(f'{path}.conv1', inner, dim, 1, 1)
            static = 'conv' if number == 4 else 'attn'
            add(f'{path}.{static}', dim, 1, 5, 5)
            add(f'{path}.conv2', dim, dim, 1, 1)
            add(f'{path}.norm2', dim, norm=True)
            add(f'{path}.mlp.fc1', ratio * dim, dim, 1, 1)
            add(f'{path}.mlp.fc2', dim, ratio * dim, 1, 1)
            if number == 4:
                shapes[f'{path}.sa_weight'] = (1,)
        before = dim
    add('norm', 512, norm=True)
    add('head', 1000, 512)
    return shapes


@pytest.fixture(scope='module')
def theirs():
    return {
        name: torch.full(shape, float(number))
        for number, (name, shape) in enumerate(list_theirs().items())
    }


def test_every_weight_finds_its_place(theirs):
    ours = rename_container_weights(theirs)
    backbone = {
        name.removeprefix('backbone.'): value
        for name, value in ours.items()
        if name.startswith('backbone.')
    }
    model = CONTAINER('light')
    model.load_state_dict(backbone)
    block = model.stages[3][3]
    for value, name in (
        (block.gate, 'blocks4.1.sa_weight'),
        (block.static.weight, 'blocks4.1.conv.weight'),
        (model.stages[0][3].static.bias, 'blocks1.0.attn.bias'),
        (model.stages[1][0].weight, 'patch_embed2.proj.weight'),
        (ours['head.fc.weight'], 'head.weight'),
    ):
        assert (value == theirs[name].flatten()[0]).all(), name
    assert len(ours) == len(theirs)


def test_weights_without_a_head_do(theirs):
    bare = {k: v for k, v in theirs.items() if not k.startswith('head')}
    assert not any('head' in name for name in rename_container_weights(bare))


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'norm.weight': None}, r"1 are lacking \['norm.weight'\]"),
        ({'cls_token': torch.zeros(1)}, r"1 are unknown \['cls_token'\]"),
        ({'norm.weight': torch.zeros(3)}, r'shape \(512,\), got \(3,\)'),
    ],
)
def test_other_weights_are_refused(theirs, change, message):
    state = {k: v for k, v in {**theirs, **change}.items() if v is not None}
    with pytest.raises(ValueError, match=message):
        rename_container_weights(state)
