"""A training resumes with its own recipe only."""

import json

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from recipe_config import make_config

from ltvl_mm.apis.recipe_choice import use_recipe
from ltvl_mm.engine.hooks import RunRecordHook
from ltvl_mm.engine.hooks.run_record import (
    KEY,
    check_same_recipe,
    describe_recipe,
)

PLAIN = dict(
    min_probability=[0.0],
    soft_labels=[False],
    weights=None,
    counts='all',
    share=None,
    target_from=None,
    target_rate=1.0,
)


def describe(manifest, recipe):
    cfg = make_config(manifest)
    if recipe is not None:
        use_recipe(cfg, recipe)
    return describe_recipe(cfg)


@pytest.mark.parametrize(
    ('recipe', 'changed'),
    [
        ('plain', {}),
        ('filtered:0.3', dict(min_probability=[0.3])),
        (
            'weighted+share',
            dict(weights='probability', counts='probability', share=0.2),
        ),
        ('target_stage', dict(target_from=7, target_rate=0.1)),
        ('soft_labels', dict(soft_labels=[True])),
    ],
)
def test_a_record_has_the_settings_of_the_recipe(recipe, changed, manifest):
    found = describe(manifest, recipe)
    assert found['recipe'] == recipe
    (digest,) = found['settings'].pop('manifest')
    assert len(digest) == 64
    assert found['settings'] == PLAIN | changed
    json.dumps(found)  # plain data


def test_another_recipe_or_manifest_is_refused(manifest):
    before = describe(manifest, 'weighted+share+target_stage')
    check_same_recipe(
        before, describe(manifest, 'target_stage+share+weighted')
    )
    check_same_recipe(None, before)  # of an earlier version
    check_same_recipe({'recipe': 'plain'}, before)
    with pytest.raises(
        ValueError,
        match=r'recipe weighted\+share\+target_stage, but this training has '
        r'the recipe filtered \(min_probability was \[0\.0\] and is \[0\.5\]',
    ):
        check_same_recipe(before, describe(manifest, 'filtered'))
    without = make_config(manifest)
    without.train_dataloader.dataset = dict(type='CustomDataset')
    without = describe_recipe(without)
    assert without['recipe'] == 'none'
    with pytest.raises(ValueError, match=r'recipe none, but .* recipe plain'):
        check_same_recipe(without, describe(manifest, 'plain'))
    plain = describe(manifest, 'plain')
    # As the config is written: other options, the same training.
    check_same_recipe(plain, describe(manifest, None))
    with open(manifest, 'ab') as file:
        file.write(b' ')
    with pytest.raises(ValueError, match=r'manifest was .* and is'):
        check_same_recipe(plain, describe(manifest, None))


@pytest.fixture
def train(manifest, target, tmp_path):
    target['pipeline'] = [
        dict(type='LoadImageFromFile'),
        dict(type='Resize', scale=(32, 32)),
        dict(type='PackInputs'),
    ]

    def run(recipe, epochs, resume=False, record=True):
        cfg = Config(
            dict(
                model=dict(
                    type='ImageClassifier',
                    data_preprocessor=dict(
                        type='ClsDataPreprocessor', mean=[0] * 3, std=[1] * 3
                    ),
                    backbone=dict(
                        type='ResNet',
                        depth=18,
                        base_channels=4,
                        stem_channels=4,
                    ),
                    neck=dict(type='GlobalAveragePooling'),
                    head=dict(
                        type='LinearClsHead', num_classes=3, in_channels=32
                    ),
                ),
                work_dir=str(tmp_path / 'work'),
                experiment_name=f'{recipe} {epochs} {resume} {tmp_path}',
                default_scope='mmpretrain',
                train_cfg=dict(by_epoch=True, max_epochs=epochs),
                optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01)),
                train_dataloader=dict(
                    batch_size=4,
                    sampler=dict(
                        type='ltvl_mm.FixedEpochSampler', epoch_size=8, seed=0
                    ),
                    dataset=dict(
                        type='ltvl_mm.TACKLEDataset',
                        manifest=str(manifest),
                        dataset=target,
                    ),
                ),
                resume=resume,
            )
        )
        use_recipe(cfg, recipe)
        runner = Runner.from_cfg(cfg)
        if record:
            runner.register_hook(RunRecordHook(cfg))
        runner.train()
        return runner

    return run


def test_a_refused_training_leaves_the_records_alone(train, tmp_path):
    train('share:0.25', 1)
    work = tmp_path / 'work'
    state = torch.load(work / 'epoch_1.pth', weights_only=False)
    assert state['meta'][KEY]['recipe'] == 'share:0.25'
    before = [
        (work / name).read_bytes()
        for name in ('config.json', 'commands.jsonl')
    ]
    with pytest.raises(ValueError, match=r'share:0\.25, but .* plain \(share'):
        train('plain', 2, resume=True)
    assert before == [
        (work / name).read_bytes()
        for name in ('config.json', 'commands.jsonl')
    ]
    assert train('share:0.25', 2, resume=True).epoch == 2
    # A new training in the folder may have any recipe.
    train('plain', 1)


def test_a_checkpoint_without_record_is_resumed(train):
    train('share:0.25', 1, record=False)
    assert train('plain', 2, resume=True).epoch == 2
