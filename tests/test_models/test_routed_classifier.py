"""Routing: an expert receives only the images that need it."""

import math

import pytest
import torch
from mmengine.analysis import get_model_complexity_info
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from ltvl_mm.models.classifiers.expert_router import (
    average_experts,
    find_helped,
)
from ltvl_mm.models.classifiers.multiply_adds import count_multiply_adds

SIZE = (3, 32, 32)


def name_experts(count=3, classes=4, **options):
    """Config of experts, for stage 1 and for routing."""
    return dict(
        type='ImageClassifier',
        backbone=dict(
            type='ltvl_mm.ExpertResNet',
            backbone=dict(
                type='ResNet', depth=18, base_channels=4, stem_channels=4
            ),
            num_experts=count,
        ),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(
            type='ltvl_mm.ExpertClsHead',
            num_classes=classes,
            in_channels=24,
            num_experts=count,
            loss=dict(type='ltvl_mm.RIDELoss', num_classes=classes),
        ),
        **options,
    )


@pytest.fixture(autouse=True)
def host_scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


@pytest.fixture
def stage_1(tmp_path):
    torch.manual_seed(0)
    model = MODELS.build(name_experts())
    # Statistics that differ from image to image, as after a training.
    model.train()(torch.randn(8, *SIZE))
    path = tmp_path / 'stage_1.pth'
    torch.save({'state_dict': model.state_dict()}, path)
    return str(path)


def build(stage_1='x', **options):
    cfg = name_experts(**options)
    cfg.setdefault('num_logits', 3)
    return MODELS.build(
        dict(cfg, type='ltvl_mm.RoutedClassifier', stage_1=stage_1)
    )


@pytest.fixture
def model(stage_1):
    torch.manual_seed(1)
    model = build(stage_1)
    model.init_weights()
    return model.eval()


def route_slowly(model, images):
    """Ask one expert after another about one image after another."""
    answers, counts = [], []
    for image in images:
        maps = model.backbone(image[None])
        feats = model.neck(maps)
        logits = model.head.forward_experts(feats)[0]
        asked = 1
        while asked < len(logits):
            mean = logits[:asked].mean(0)[None]
            if model.router(feats[asked - 1], mean, asked - 1).item() <= 0:
                break
            asked += 1
        answers.append(logits[:asked].mean(0))
        counts.append(asked)
    return torch.stack(answers), counts


@torch.no_grad()
@pytest.mark.parametrize('bias', [-9.0, -0.3, 0.0, 0.3, 9.0])
def test_routing_is_as_if_images_came_one_by_one(model, bias):
    model.router.score.bias += bias
    images = torch.randn(7, *SIZE)
    expected, counts = route_slowly(model, images)
    logits, used = model.route(images)
    assert used.tolist() == counts
    assert torch.allclose(logits, expected, atol=1e-4)
    if abs(bias) == 9:
        assert counts == [1 if bias < 0 else 3] * 7
    if bias == 9:
        plain = model.head(model.extract_feat(images))
        assert torch.allclose(logits, plain, atol=1e-4)
    assert torch.equal(model(images), logits)


def pick_router(monkeypatch, model, scores):
    """Make the routers say what is written for each image."""

    def answer(feat, mean, number=0):
        return scores[number][: len(feat)]

    monkeypatch.setattr(model.router, 'forward', answer)


@torch.no_grad()
def test_experts_see_only_whom_they_help(model, monkeypatch):
    shown = [[], [], []]
    for expert, seen in zip(model.backbone.experts, shown, strict=True):
        expert.register_forward_pre_hook(
            lambda _, args, seen=seen: seen.append(len(args[0]))
        )
    yes_no = [torch.tensor([1.0, -1.0, 1.0, -1.0]), torch.tensor([-1.0, 1.0])]
    pick_router(monkeypatch, model, yes_no)
    _, used = model.route(torch.randn(4, *SIZE))
    assert used.tolist() == [2, 1, 3, 1]
    assert shown == [[4], [2], [1]]
    # No image is routed: no expert runs.
    pick_router(monkeypatch, model, [torch.full((4,), -1.0)])
    model.route(torch.randn(4, *SIZE))
    assert shown == [[4, 4], [2], [1]]


@torch.no_grad()
def test_predictions_say_what_they_cost(model, monkeypatch):
    yes_no = [torch.tensor([1.0, -1.0, 1.0, -1.0]), torch.tensor([-1.0, 1.0])]
    pick_router(monkeypatch, model, yes_no)
    model._costs[SIZE] = [10, 20, 30]
    samples = [DataSample().set_gt_label(0) for _ in range(4)]
    images = torch.randn(4, *SIZE)
    samples = model(images, samples, mode='predict')
    assert [sample.experts_used for sample in samples] == [2, 1, 3, 1]
    assert [sample.multiply_adds for sample in samples] == [20, 10, 30, 10]
    scores = torch.stack([sample.pred_score for sample in samples])
    assert torch.equal(scores, model(images).softmax(1))
    assert samples[0].to_dict()['experts_used'] == 2  # as metrics see it


def test_costs_are_the_host_s_for_the_whole(model):
    plain = MODELS.build(name_experts()).eval()
    whole = get_model_complexity_info(
        plain, SIZE, show_table=False, show_arch=False
    )
    one, two, three = model._count_costs(SIZE)
    # The hidden layers, and the layer that they share.
    routing = 24 * 16 + (16 + 3)
    assert three == whole['flops'] + 2 * routing
    # Without a router after the last.
    assert two - one == three - two + routing
    assert 0 < one < three


def test_multiply_adds_of_a_layer():
    linear = torch.nn.Linear(4, 5)
    with torch.no_grad():
        assert count_multiply_adds(linear, torch.zeros(2, 4)) == 40


def test_the_loss_is_binary_cross_entropy_over_routers(model, monkeypatch):
    scores = [torch.tensor([0.5, -1.0]), torch.tensor([2.0, 0.0])]
    pick_router(monkeypatch, model, scores)
    images = torch.randn(2, *SIZE)
    means = average_experts(
        model.head.forward_experts(model.extract_feat(images))
    )
    target = torch.tensor([3, 1])
    helped = find_helped(means, target)
    samples = [DataSample().set_gt_label(label) for label in target]
    expected = 0.0
    for i in range(2):
        for e in range(2):
            share = 1 / (1 + math.exp(-scores[e][i].item()))
            if helped[i, e]:
                expected -= 100 * math.log(share) / 4
            else:
                expected -= math.log(1 - share) / 4
    value = model(images, samples, mode='loss')['loss']
    assert value.item() == pytest.approx(expected, rel=1e-5)


def test_routers_alone_are_trained(model):
    model.train()
    images = torch.randn(4, *SIZE)
    samples = [DataSample().set_gt_label(label) for label in (0, 1, 2, 3)]
    before = {name: v.clone() for name, v in model.state_dict().items()}
    model(images, samples, mode='loss')['loss'].backward()
    weights = [p for p in model.parameters() if p.requires_grad]
    assert all(torch.isfinite(p.grad).all() for p in weights)
    torch.optim.SGD(weights, lr=0.1).step()
    for name, value in model.state_dict().items():
        if not name.startswith('router'):
            assert torch.equal(value, before[name]), name
    trained = {n for n, v in model.named_parameters() if v.requires_grad}
    assert {name.split('.')[0] for name in trained} == {'router'}


def test_what_is_kept_is_of_the_first_stage(model, stage_1):
    first = torch.load(stage_1, weights_only=True)['state_dict']
    state = model.state_dict()
    for name, value in first.items():
        assert torch.equal(state[name], value), name
    assert {name.split('.')[0] for name in set(state) - set(first)} == {
        'router'
    }


@pytest.mark.parametrize('classes', [2, 4])
def test_bfloat16(classes):
    torch.manual_seed(0)
    model = build(count=2, classes=classes, num_logits=2)
    images = torch.randn(3, *SIZE)
    samples = [DataSample().set_gt_label(label) for label in (0, 1, 1)]
    with torch.autocast('cpu', torch.bfloat16):
        loss = model.train()(images, samples, mode='loss')['loss']
        samples = model.eval()(images, samples, mode='predict')
    loss.backward()
    assert torch.isfinite(loss)
    for weight in model.router.parameters():
        assert torch.isfinite(weight.grad).all()
    assert all(torch.isfinite(sample.pred_score).all() for sample in samples)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(num_logits=5), r'num_logits must lie in \[1, 4\], .* got 5'),
        (
            dict(
                head=dict(type='LinearClsHead', num_classes=3, in_channels=3)
            ),
            'got ExpertResNet and LinearClsHead',
        ),
        (
            dict(head=dict(name_experts(2)['head'])),
            'as many experts, got 3 and 2',
        ),
        (
            dict(train_cfg=dict(augments=[dict(type='Mixup', alpha=0.8)])),
            'RoutedClassifier .* cannot train on mixed images',
        ),
    ],
)
def test_what_cannot_be_routed(options, message):
    cfg = {**name_experts(), 'num_logits': 3, **options}
    cfg |= dict(type='ltvl_mm.RoutedClassifier', stage_1='x')
    with pytest.raises(ValueError, match=message):
        MODELS.build(cfg)
