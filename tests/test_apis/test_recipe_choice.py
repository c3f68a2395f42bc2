"""Recipe that auto chooses for a manifest, and its reason."""

import re
from dataclasses import replace

import numpy as np
import pytest
from recipe_config import MIXUP, make_config, use

from ltvl_mm.apis.recipe_choice import choose_recipe, use_recipe
from ltvl_mm.models.losses.mixed_labels import check_mixed_labels
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import load_manifest, save_manifest


@pytest.fixture
def probable(manifest):
    """File of a manifest with probabilities."""
    more = dict(source={'score': 'softmax'})
    save_manifest(manifest, replace(load_manifest(manifest), **more))
    return manifest


CLIP = dict(type='ltvl_mm.CLIPContrastiveHead')
CONFIGS = {
    'cross-entropy': dict(),
    'cosine': dict(head=dict(type='ltvl_mm.CosineClsHead')),
    'balanced softmax': dict(head=use('ltvl_mm.LogitAdjustedLoss')),
    'clip': dict(head=dict(CLIP, loss='class_ce')),
    'contrastive': dict(head=CLIP),
    'ldam': dict(head=use('ltvl_mm.LDAMLoss')),
    'tade': dict(head=use('DiverseExpertLoss')),
    'paco': dict(head=use('ltvl_mm.PaCoLoss')),
    'oltr': dict(head=dict(type='ltvl_mm.MemoryClsHead')),
    'crt': dict(model=dict(type='ltvl_mm.DecoupledClassifier')),
    'class-balanced': dict(
        train_dataloader=dict(
            sampler=dict(type='ltvl_mm.ClassBalancedSampler')
        )
    ),
    'mixup': dict(model=dict(train_cfg=MIXUP)),
}


@pytest.mark.parametrize('name', CONFIGS)
def test_auto_filters_with_any_loss_and_says_why(name, probable):
    cfg = make_config(probable, **CONFIGS[name])
    note = use_recipe(cfg)
    assert note.startswith(
        'recipe auto chooses filtered, because improbable images often show '
        'another class: '
    )
    assert 'class counts of losses are target + retrieved images' in note
    check_mixed_labels(cfg)


def test_auto_leaves_weights_of_the_config_alone(probable):
    cfg = make_config(probable)
    cfg.custom_hooks.append(dict(type='ltvl_mm.RetrievedWeightHook'))
    recipe, reason = choose_recipe(cfg)
    assert recipe.name == 'plain'
    assert reason == 'the config weights retrieved images'
    cfg = make_config(probable)
    dataset = cfg.train_dataloader.dataset.dataset
    dataset.min_probability = 0.7
    note = use_recipe(cfg)
    assert 'plain, because the config leaves out improbable images' in note
    assert 'images below probability 0.7 are left out' in note
    assert dataset.min_probability == 0.7


@pytest.mark.parametrize('background', [[], ['a', 'b']])
def test_auto_is_plain_where_a_background_made_probabilities_small(
    probable, background
):
    made = load_manifest(probable)
    source = {**made.source, 'background': background}
    # p = 0.5, 0.27 and 0.12 become 0.007 and less.
    save_manifest(probable, replace(made, score=made.score - 5, source=source))
    recipe, reason = choose_recipe(make_config(probable))
    if background:
        assert recipe.name == 'plain'
        assert '0 of 6 images have 0.5 or more' in reason
        assert '--val STORE LIST' in reason
    else:
        assert reason.startswith('none of the 6 images has a probability')


def test_auto_is_plain_where_there_are_no_probabilities(manifest):
    note = use_recipe(make_config(manifest))
    assert note == (
        f'recipe auto chooses plain, because the manifest {manifest} has '
        f'scores of None and no probabilities: class counts of losses are '
        f'target + retrieved images'
    )


def write_probabilities(path, probabilities, **source):
    """Write a manifest of images of one class with these p_k."""
    odds = np.asarray(probabilities, float)
    count = len(odds)
    found = Manifest(
        class_names=('a', 'b'),
        class_id=np.zeros(count, int),
        rank=np.arange(count),
        score=np.log(odds / (1 - odds)),
        cosine=np.full(count, 0.3),
        key=[f'k{i}' for i in range(count)],
        file=[f'images/{i}.png' for i in range(count)],
        caption=[''] * count,
        source={'score': 'softmax', 'temperature': 0.011, **source},
    )
    save_manifest(path, found)
    return path


# 25 of 300 images are probable: 8 %, less than a tenth.
FEW = [0.95] * 25 + [0.02] * 275
BACKGROUND = {'source': 'builtin'}


@pytest.mark.parametrize(
    ('source', 'recipe', 'reason'),
    [
        ({'source': 'val', 'val_images': 60}, 'filtered', 'improbable images'),
        ({'source': 'encoder'}, 'plain', "25 of 300 .* the encoder's own tem"),
        ({'source': 'given'}, 'plain', 'a temperature that was given'),
        (None, 'plain', 'an earlier version did not record'),
        ({'source': ['val']}, 'plain', 'an earlier version did not record'),
    ],
)
def test_small_probabilities_are_true_at_a_fitted_temperature(
    source, recipe, reason, tmp_path
):
    path = write_probabilities(
        tmp_path / 'manifest.parquet',
        FEW,
        background=BACKGROUND,
        temperature_source=source,
    )
    found, why = choose_recipe(make_config(path))
    assert found.name == recipe
    assert re.search(reason, why)
    assert ('--val STORE LIST' in why) == (recipe == 'plain')


def test_auto_is_plain_where_no_image_is_probable(tmp_path):
    path = write_probabilities(tmp_path / 'manifest.parquet', [0.3, 0.2])
    found, why = choose_recipe(make_config(path))
    assert found.name == 'plain'
    assert 'none of the 2 images has a probability of 0.5 or more' in why
    assert '(the largest is 0.3)' in why


def test_auto_refuses_an_empty_manifest(tmp_path):
    path = write_probabilities(tmp_path / 'manifest.parquet', [])
    with pytest.raises(ValueError, match=r'manifest\.parquet lists no images'):
        choose_recipe(make_config(path))


COUNTS = dict(type='ltvl_mm.ClassCountsHook')
NO_COUNTS = 'losses get no class counts (no ClassCountsHook in custom_hooks)'


@pytest.mark.parametrize(
    ('recipe', 'hooks', 'expected'),
    [
        ('plain', [COUNTS], 'class counts of losses are target + retrieved'),
        (
            'plain',
            [dict(COUNTS, retrieved='probability')],
            'class counts of losses are target images + sum of probabilities',
        ),
        (
            'plain',
            [dict(COUNTS, retrieved='none')],
            'class counts of losses are target images',
        ),
        ('counts', [], NO_COUNTS),
        ('weighted', [], f'losses are weighted by probability; {NO_COUNTS}'),
        (
            'plain',
            [dict(type='ltvl_mm.RetrievedWeightHook', retrieved=0.5)],
            'retrieved images weigh 0.5 in losses',
        ),
        ('share:0.25', [], '0.25 of each batch is retrieved'),
        (
            'target_stage',
            [COUNTS],
            'training uses target images alone from epoch 8 on at 0.1 times '
            'the scheduled learning rate',
        ),
        ('soft_labels', [], "labels are CLIP's distributions"),
    ],
)
def test_the_log_describes_the_config(recipe, hooks, expected, probable):
    cfg = make_config(probable, custom_hooks=hooks)
    cfg.custom_hooks = hooks
    assert expected in use_recipe(cfg, recipe)
