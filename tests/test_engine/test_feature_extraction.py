"""Features of a model's images, and of which classifier they are."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from ltvl_mm.engine.feature_extraction import (
    extract_expert_logits,
    extract_expert_views,
    extract_features,
)
from ltvl_mm.evaluation.tau_normalization import predict_tau_normalized
from ltvl_mm.registry import MODELS

POOLED = dict(type='GlobalAveragePooling')


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


def configure(target, head, neck=POOLED, backbone=None):
    loader = dict(batch_size=4, num_workers=0, dataset=target)
    backbone = backbone or dict(
        type='ResNet', depth=18, base_channels=4, stem_channels=4
    )
    head = dict(num_classes=3, in_channels=32) | head
    return Config(
        dict(
            default_scope='mmpretrain',
            data_preprocessor=dict(mean=[100] * 3, std=[50] * 3),
            model=dict(
                type='ImageClassifier',
                backbone=backbone,
                neck=neck,
                head=head,
            ),
            train_dataloader=loader,
            test_dataloader=loader,
        )
    )


def extract(cfg, folder):
    """The features of test, with random weights."""
    torch.manual_seed(0)
    model = MODELS.build(
        {'data_preprocessor': cfg.data_preprocessor, **cfg.model}
    ).eval()
    for parameter in model.parameters():
        torch.nn.init.uniform_(parameter, 0.1, 0.9)
    torch.save(model.state_dict(), folder / 'model.pth')
    return extract_features(cfg, str(folder / 'model.pth'), 'test')


def test_a_linear_layer_that_answers_is_named(target, tmp_path):
    cfg = configure(target, dict(type='LinearClsHead'))
    found = extract(cfg, tmp_path)
    assert found.features.shape == (6, 32)
    assert found.classifier == 'head.fc'


def test_so_is_that_of_a_vision_transformer(target, tmp_path):
    arch = dict(embed_dims=32, num_layers=1, num_heads=2)
    cfg = configure(
        target,
        dict(type='VisionTransformerClsHead'),
        neck=None,
        backbone=dict(
            type='VisionTransformer',
            arch=dict(**arch, feedforward_channels=64),
            img_size=8,
            patch_size=4,
        ),
    )
    found = extract(cfg, tmp_path)
    assert found.classifier == 'head.layers.head'


@pytest.mark.parametrize(
    ('head', 'neck'),
    [
        (dict(type='ltvl_mm.LWSClsHead'), POOLED),
        (dict(type='ltvl_mm.CosineClsHead'), POOLED),
        (
            dict(
                type='ltvl_mm.ExpertClsHead',
                scale=None,
                loss=dict(type='ltvl_mm.DiverseExpertLoss', num_classes=3),
            ),
            POOLED,
        ),
    ],
    ids=['LWS', 'cosine', 'experts'],
)
def test_there_is_none_where_a_head_does_more(target, tmp_path, head, neck):
    found = extract(configure(target, head, neck), tmp_path)
    assert found.features.shape == (6, 32)  # for maps of them
    assert found.classifier == ''


@pytest.mark.parametrize('gamma', [0.0, 0.7])
def test_reslt_has_a_tau_normalized_classifier(target, tmp_path, gamma):
    head = dict(
        type='ltvl_mm.ResLTHead',
        gamma=gamma,
        loss=dict(type='ltvl_mm.ResLTLoss', num_classes=3),
    )
    neck = dict(type='ltvl_mm.ResLTNeck', in_channels=32)
    cfg = configure(target, head, neck)
    found = extract(cfg, tmp_path)
    assert (found.classifier, found.tau) == ('head.fc', gamma)
    weights = torch.load(tmp_path / 'model.pth', weights_only=True)
    weight = weights['head.fc.weight'].numpy()
    classifier = MODELS.build(cfg.model.head)
    classifier.fc.weight.data = weights['head.fc.weight']
    logits = classifier((torch.from_numpy(found.features),))
    pred = predict_tau_normalized(found, weight, gamma)
    assert pred.tolist() == logits.argmax(1).tolist()


def configure_experts(target):
    loss = dict(type='ltvl_mm.DiverseExpertLoss', num_classes=3)
    head = dict(type='ltvl_mm.ExpertClsHead', scale=None, loss=loss)
    cfg = configure(target, head)
    cfg.randomness = dict(seed=0)
    return cfg


def test_views_of_experts_are_new_in_each_pass_and_repeatable(
    target, tmp_path
):
    cfg = configure_experts(target)
    # Its weights are positive, and negative pixels would make no difference.
    cfg.data_preprocessor.mean = [0] * 3
    extract(cfg, tmp_path)
    place = str(tmp_path / 'model.pth')
    plain, labels = extract_expert_logits(cfg, place, 'test')
    assert plain.shape == (6, 3, 3)
    assert len(labels) == 6
    load, *rest = target['pipeline']
    views = [load, dict(type='ColorJitter', brightness=[1, 9]), *rest]

    def draw():
        return extract_expert_views(cfg, place, 'test', views, epochs=2)

    first, second = draw()
    assert first.shape == (2, *plain.shape)
    assert not np.allclose(first[0], first[1])
    assert not np.allclose(first, second)
    assert np.array_equal(np.stack(list(draw())), np.stack([first, second]))
    # Without random transforms, a view is the image as it is tested.
    (same,) = extract_expert_views(
        cfg, place, 'test', target['pipeline'], epochs=1
    )
    assert same == pytest.approx(np.stack([plain, plain]))


def test_a_head_without_experts_is_refused(target, tmp_path):
    cfg = configure(target, dict(type='LinearClsHead'))
    extract(cfg, tmp_path)
    with pytest.raises(ValueError, match='LinearClsHead, which has no exper'):
        extract_expert_logits(cfg, str(tmp_path / 'model.pth'), 'test')
