"""Configs that weight retrieved images for losses without weights."""

import pytest
from mmengine.config import Config
from small_inputs import ROOT

from ltvl_mm.models.losses.weighted_losses import check_weighted_losses

WEIGHTS = dict(type='ltvl_mm.RetrievedWeightHook')


def load_toy(name, *hooks):
    cfg = Config.fromfile(ROOT / f'configs/toy/{name}.py')
    cfg.custom_hooks = [*(cfg.get('custom_hooks') or ()), *hooks]
    return cfg


@pytest.mark.parametrize('name', ['gpaco/gpaco_r18', 'paco/paco_r18'])
def test_losses_without_weights_are_refused_by_the_config(name):
    check_weighted_losses(load_toy(name))
    with pytest.raises(ValueError, match='PaCoLoss takes no weight and no'):
        check_weighted_losses(load_toy(name, WEIGHTS))


def test_heads_without_a_loss_module_are_refused_by_the_config():
    with pytest.raises(ValueError, match='CLIPContrastiveHead computes'):
        check_weighted_losses(load_toy('ballad/ballad_a', WEIGHTS))


@pytest.mark.parametrize(
    'name', ['cross_entropy/cross_entropy_r18', 'ride/ride_r18']
)
def test_losses_with_weights_pass(name):
    check_weighted_losses(load_toy(name, WEIGHTS))


def test_losses_of_later_epochs_are_checked():
    switch = dict(
        type='SwitchRecipeHook',
        schedule=[dict(action_epoch=5, loss=dict(type='ltvl_mm.PaCoLoss'))],
    )
    cfg = load_toy('cross_entropy/cross_entropy_r18', switch, WEIGHTS)
    with pytest.raises(ValueError, match='PaCoLoss takes no weight'):
        check_weighted_losses(cfg)
