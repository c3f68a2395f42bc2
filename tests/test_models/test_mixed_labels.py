"""Configs that mix images for models that need one class per image."""

import pytest
from mmengine.config import Config

from ltvl_mm.models.losses.mixed_labels import (
    HARD_LABEL_PARTS,
    check_mixed_labels,
)
from ltvl_mm.registry import MODELS

MIXUP = dict(augments=[dict(type='Mixup', alpha=0.8)])


def make_config(head, *, model=None, hooks=(), **more):
    return Config(
        dict(
            model=dict(type='ImageClassifier', head=head, **(model or {})),
            train_dataloader=dict(batch_size=2),
            custom_hooks=list(hooks),
            **more,
        )
    )


def use_loss(kind):
    return dict(type='LinearClsHead', loss=dict(type=kind))


CLIP = 'ltvl_mm.CLIPContrastiveHead'
HARD = {
    'LADELoss(': use_loss('ltvl_mm.LADELoss'),
    'LDAMLoss(': use_loss('LDAMLoss'),
    'MemoryClsHead(': dict(type='ltvl_mm.MemoryClsHead'),
    'CLIPContrastiveHead(': dict(type=CLIP),
    "CLIPContrastiveHead(loss='image_to_text')": dict(
        type=CLIP, loss='image_to_text'
    ),
}
SOFT = (
    use_loss('CrossEntropyLoss'),
    use_loss('ltvl_mm.LogitAdjustedLoss'),
    dict(type=CLIP, loss='class_ce'),
)


@pytest.mark.parametrize('name', HARD)
@pytest.mark.parametrize(
    'more',
    [
        dict(model=dict(train_cfg=MIXUP)),
        dict(model=dict(data_preprocessor=dict(batch_augments=MIXUP))),
        dict(data_preprocessor=dict(to_onehot=True)),
    ],
    ids=['train_cfg', 'batch_augments', 'to_onehot'],
)
def test_soft_labels_are_refused_before_training(name, more):
    with pytest.raises(ValueError, match='needs one class per') as error:
        check_mixed_labels(make_config(HARD[name], **more))
    assert str(error.value).startswith(name)
    assert 'remove Mixup' in str(error.value)


@pytest.mark.parametrize('head', [*SOFT, *HARD.values()])
def test_other_configs_pass(head):
    if head in SOFT:
        check_mixed_labels(make_config(head, model=dict(train_cfg=MIXUP)))
    check_mixed_labels(make_config(head))
    cfg = make_config(head, model=dict(train_cfg=MIXUP))
    cfg.train_dataloader = None
    check_mixed_labels(cfg)


def test_a_frozen_teacher_may_have_any_loss():
    teacher = dict(type='ImageClassifier', head=use_loss('ltvl_mm.RIDELoss'))
    check_mixed_labels(
        make_config(SOFT[0], model=dict(train_cfg=MIXUP, teacher=teacher))
    )


def test_a_recipe_that_mixes_later_is_found_at_the_start():
    later = [dict(action_epoch=80, batch_augments=MIXUP)]
    hook = dict(type='SwitchRecipeHook', schedule=later)
    with pytest.raises(ValueError, match='but from epoch 80 on the config'):
        check_mixed_labels(make_config(HARD['LADELoss('], hooks=[hook]))
    check_mixed_labels(make_config(SOFT[0], hooks=[hook]))


def test_a_recipe_may_end_mixing_with_another_loss():
    schedule = [
        dict(
            action_epoch=9,
            batch_augments=None,
            loss=dict(type='ltvl_mm.LDAMLoss'),
        )
    ]
    hook = dict(type='mmpretrain.SwitchRecipeHook', schedule=schedule)
    cfg = make_config(SOFT[0], model=dict(train_cfg=MIXUP), hooks=[hook])
    check_mixed_labels(cfg)
    del schedule[0]['batch_augments']
    cfg = make_config(SOFT[0], model=dict(train_cfg=MIXUP), hooks=[hook])
    with pytest.raises(ValueError, match=r'LDAMLoss\(\) .* from epoch 9 on'):
        check_mixed_labels(cfg)


def test_the_parts_exist():
    for name in HARD_LABEL_PARTS:
        assert MODELS.get(f'ltvl_mm.{name}') is not None
