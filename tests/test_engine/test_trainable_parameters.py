import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

CONFIG = dict(
    type='OptimWrapper',
    constructor='ltvl_mm.TrainableOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9),
)


@pytest.fixture
def model():
    """A trained layer between a frozen one and one with a frozen bias."""
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 3), nn.Linear(3, 1))
    model[0].requires_grad_(False)
    model[2].bias.requires_grad_(False)
    return model


def list_held(wrapper):
    return [
        id(weight)
        for group in wrapper.optimizer.param_groups
        for weight in group['params']
    ]


@pytest.mark.parametrize(
    'paramwise', [None, {'custom_keys': {'2': {'lr_mult': 0.5}}}]
)
def test_the_optimizer_holds_what_trains_and_nothing_else(model, paramwise):
    config = {**CONFIG, 'paramwise_cfg': paramwise}
    wrapper = build_optim_wrapper(model, config)
    trained = [*model[1].parameters(), model[2].weight]
    assert list_held(wrapper) == [id(weight) for weight in trained]
    rates = {
        id(weight): group['lr']
        for group in wrapper.optimizer.param_groups
        for weight in group['params']
    }
    assert rates[id(model[1].weight)] == 0.1
    assert rates[id(model[2].weight)] == (0.05 if paramwise else 0.1)


def test_a_step_moves_what_trains_and_keeps_no_state_of_the_rest(model):
    before = [weight.clone() for weight in model.parameters()]
    wrapper = build_optim_wrapper(model, CONFIG)
    wrapper.update_params(model(torch.ones(4, 2)).sum())
    moved = [
        not torch.equal(old, new)
        for old, new in zip(before, model.parameters(), strict=True)
    ]
    assert moved == [False, False, True, True, True, False]
    assert len(wrapper.optimizer.state_dict()['state']) == 3


def test_a_model_that_is_all_frozen_is_refused(model):
    with pytest.raises(ValueError, match='nothing to optimize'):
        build_optim_wrapper(model.requires_grad_(False), CONFIG)
