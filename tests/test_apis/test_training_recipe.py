"""Recipes change data and hooks of a config."""

import pytest
from recipe_config import MIXUP, make_config, use

from ltvl_mm.apis.training_recipe import (
    RECIPES,
    Recipe,
    apply_recipe,
    parse_recipe,
)
from ltvl_mm.models.losses.mixed_labels import check_mixed_labels


def apply(text, **more):
    cfg = make_config(**more)
    apply_recipe(cfg, parse_recipe(text))
    return cfg, cfg.train_dataloader.dataset.dataset


def test_names_and_values_are_read():
    assert parse_recipe('plain') == Recipe('plain')
    assert parse_recipe('filtered').min_probability == 0.5
    assert parse_recipe('filtered:0.3').min_probability == 0.3
    both = parse_recipe('weighted+share:0.25')
    assert (both.weights, both.counts) == ('probability', 'probability')
    assert both.share == 0.25


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('wrong', 'must be auto, or one or several'),
        ('auto', 'must be auto, or one or several'),
        ('filtered:2', r'must be a number in \(0, 1\), got .2.'),
        ('share:many', r'must be a number in \(0, 1\)'),
        ('weighted:0.5', 'weighted takes no value'),
        ('share:0.2+share:0.3', 'gives share twice'),
    ],
)
def test_other_names_and_values_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_recipe(text)


def test_plain_changes_nothing():
    before = make_config()
    cfg, _ = apply('plain')
    assert cfg.to_dict() == before.to_dict()


def test_images_are_filtered_at_load_time():
    cfg, dataset = apply('filtered:0.3')
    assert dataset.min_probability == 0.3
    assert cfg.custom_hooks == [dict(type='ltvl_mm.ClassCountsHook')]


def test_weights_bring_their_counts():
    cfg, _ = apply('weighted')
    assert cfg.custom_hooks == [
        dict(type='ltvl_mm.ClassCountsHook', retrieved='probability'),
        dict(type='ltvl_mm.RetrievedWeightHook', retrieved='probability'),
    ]
    with pytest.raises(ValueError, match='weights retrieved images already'):
        apply_recipe(cfg, parse_recipe('weighted'))
    cfg, _ = apply('counts')
    (hook,) = cfg.custom_hooks
    assert hook.retrieved == 'probability'


def test_a_share_replaces_the_sampler():
    cfg, _ = apply('share:0.25')
    assert cfg.train_dataloader.sampler == dict(
        type='ltvl_mm.RetrievedShareSampler',
        shuffle=True,
        share=0.25,
        target_from=None,
    )
    balanced = dict(type='ltvl_mm.ClassBalancedSampler')
    with pytest.raises(ValueError, match='as the sampler ClassBalancedS'):
        apply('share', train_dataloader=dict(sampler=balanced))


def test_a_target_stage_is_the_last_epochs_at_a_small_rate():
    cfg, _ = apply('target_stage:0.3')
    assert cfg.train_dataloader.sampler.target_from == 7
    assert cfg.custom_hooks[0].target_from == 7
    assert cfg.param_scheduler == dict(type='CosineAnnealingLR', T_max=10)
    assert cfg.custom_hooks[1] == dict(
        type='ltvl_mm.LearningRateFactorHook', factor=0.1, begin=7
    )
    for epochs in (1, None):
        with pytest.raises(ValueError, match='splits the epochs'):
            apply('target_stage', train_cfg=dict(max_epochs=epochs))


def test_soft_labels_are_refused_for_losses_of_one_class():
    cfg, dataset = apply('soft_labels')
    assert dataset.soft_labels is True
    check_mixed_labels(cfg)
    cfg, _ = apply('soft_labels', head=use('ltvl_mm.LDAMLoss'))
    with pytest.raises(ValueError, match=r'LDAMLoss\(\) needs .* another --r'):
        check_mixed_labels(cfg)


def test_weights_are_refused_where_images_are_mixed_later():
    later = dict(action_epoch=5, batch_augments=MIXUP)
    cfg, _ = apply('weighted')
    cfg.custom_hooks.append(dict(type='SwitchRecipeHook', schedule=[later]))
    with pytest.raises(ValueError, match='but from epoch 5 on the config'):
        check_mixed_labels(cfg)


def test_a_config_without_retrieved_images_is_refused():
    cfg = make_config()
    cfg.train_dataloader.dataset = dict(type='CustomDataset')
    for recipe in RECIPES:
        with pytest.raises(ValueError, match='needs one TACKLEDataset'):
            apply_recipe(cfg, parse_recipe(recipe))
