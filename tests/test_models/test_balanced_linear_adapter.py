import pytest
import torch
from mmpretrain.registry import MODELS

from ltvl_mm.models import BalancedLinearAdapter

FEATURES = (torch.tensor([[3.0, 4.0]]),)


def make(**options):
    """An adapter whose map is W = [[1, 0], [0, -1]], b = (1, 0) if any."""
    adapter = BalancedLinearAdapter(2, ratio=0.25, **options)
    state = {'linear.weight': torch.tensor([[1.0, 0.0], [0.0, -1.0]])}
    if options.get('bias', True):
        state['linear.bias'] = torch.tensor([1.0, 0.0])
    adapter.load_state_dict(state)
    return adapter


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        # W f + b = (4, -4), and 0.75 f = (2.25, 3).
        ({}, [0.25 * 4 + 2.25, 0.25 * 0 + 3]),
        ({'activation': None}, [0.25 * 4 + 2.25, 0.25 * -4 + 3]),
        # W f = (3, -4): what the authors' code computes.
        ({'activation': None, 'bias': False}, [0.75 + 2.25, -1 + 3]),
        # f / |f| = (0.6, 0.8).
        ({'normalize': 'before'}, [0.25 * 1.6 + 0.45, 0.25 * 0 + 0.6]),
        # (1, 0) + (2.25, 3) = (3.25, 3), divided by its norm.
        ({'normalize': 'after'}, [3.25 / 19.5625**0.5, 3 / 19.5625**0.5]),
    ],
)
def test_equation_2_by_hand(options, expected):
    (blended,) = make(**options)(FEATURES)
    assert torch.allclose(blended, torch.tensor([expected]))


def test_ratio_0_keeps_the_features_and_the_last_stage_is_used():
    adapter = BalancedLinearAdapter(2, ratio=0)
    (blended,) = adapter((torch.zeros(1, 5), *FEATURES))
    assert torch.equal(blended, FEATURES[0])


def test_identity_without_activation_starts_as_no_op():
    adapter = BalancedLinearAdapter(2, activation=None, init='identity')
    assert torch.allclose(adapter(FEATURES)[0], FEATURES[0])


def test_a_host_builds_it_as_neck_and_keeps_its_start():
    cfg = dict(type='ltvl_mm.BalancedLinearAdapter', dim=2, init='identity')
    adapter = MODELS.build(cfg)
    adapter.init_weights()
    assert torch.equal(adapter.linear.weight, torch.eye(2))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'ratio': 1.5}, r'ratio must lie in \[0, 1\], got 1.5'),
        ({'ratio': -0.1}, r'got -0.1'),
        ({'activation': 'gelu'}, r"activation must be one of .*'gelu'"),
        ({'normalize': 'both'}, "normalize must be one of .*'both'"),
        ({'init': 'zero'}, "init must be one of .*'zero'"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        BalancedLinearAdapter(2, **options)


def test_the_width_follows_from_the_architecture():
    assert BalancedLinearAdapter(arch='RN50').linear.in_features == 1024
    assert BalancedLinearAdapter(arch='ViT-L-14').linear.in_features == 768
    for both in ({}, {'dim': 2, 'arch': 'RN50'}):
        with pytest.raises(ValueError, match='give either dim or arch'):
            BalancedLinearAdapter(**both)


def test_features_of_another_width_are_refused_by_both_numbers():
    with pytest.raises(ValueError, match=r'dim=4.* 2 wide'):
        BalancedLinearAdapter(4)(FEATURES)
