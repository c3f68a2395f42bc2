"""PaCo and GPaCo: the loss against a slow version, EMA encoder, queue."""

import math

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from ranks import run_ranks
from torch.nn.parallel import DistributedDataParallel

from ltvl_mm.models import PaCoLoss
from ltvl_mm.models.losses.paco_loss import compute_paco_loss


@pytest.fixture(autouse=True)
def host_scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


def normalize(points):
    return torch.nn.functional.normalize(points, dim=1)


def loss_slowly(logits, queries, keys, target, key_labels, options):
    """The loss, one image and one contrasted thing after another."""
    total = 0.0
    for i, label in enumerate(target.tolist()):
        shares, weights = [], []
        for k, logit in enumerate(logits[i].tolist()):
            shares.append((math.exp(logit), math.exp(logit)))
            weights.append(options['beta'] if k == label else 0)
        for j, other in enumerate(key_labels.tolist()):
            if j == i or other < 0:
                continue
            cosine = float(queries[i] @ keys[j]) / options['temperature']
            shares.append(
                (math.exp(cosine), options['gamma'] * math.exp(cosine))
            )
            weights.append(options['alpha'] if other == label else 0)
        below = sum(share for _, share in shares)
        logs = [math.log(above / below) for above, _ in shares]
        total -= sum(
            w * log for w, log in zip(weights, logs, strict=True)
        ) / sum(weights)
    return total / len(target)


@pytest.mark.parametrize('seed', range(6))
def test_the_loss_is_its_formula(seed):
    generator = torch.Generator().manual_seed(seed)
    count, classes, queued = 1 + seed, 2 + seed % 3, 5
    target = torch.randint(classes, (count,), generator=generator)
    queue = torch.randint(-1, classes, (queued,), generator=generator)
    queries = normalize(torch.randn(count, 4, generator=generator))
    others = normalize(torch.randn(count + queued, 4, generator=generator))
    logits = torch.randn(count, classes, generator=generator)
    keys = torch.cat([queries, others])
    labels = torch.cat([target, target, queue])
    options = dict(temperature=0.5, alpha=0.3, beta=1.2, gamma=0.7)
    value = compute_paco_loss(logits, queries, keys, target, labels, **options)
    expected = loss_slowly(logits, queries, keys, target, labels, options)
    assert value.item() == pytest.approx(expected, rel=1e-4)


def test_without_keys_it_is_balanced_softmax():
    loss = PaCoLoss(2)
    loss.set_class_counts(torch.tensor([3, 1]))
    queries = normalize(torch.randn(1, 4))
    value = loss(
        torch.zeros(1, 2),
        queries,
        queries,
        torch.tensor([1]),
        torch.tensor([1]),
    )
    assert value.item() == pytest.approx(math.log(4))


def test_ranges_of_the_loss():
    with pytest.raises(ValueError, match='temperature must be > 0, got 0'):
        PaCoLoss(2, temperature=0)


def build(queue_size=6, kind='PaCoClassifier', **options):
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type=f'ltvl_mm.{kind}',
            backbone=dict(
                type='ResNet', depth=18, base_channels=4, stem_channels=4
            ),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(
                type='LinearClsHead',
                num_classes=3,
                in_channels=32,
                loss=dict(type='ltvl_mm.PaCoLoss', num_classes=3),
            ),
            dim=8,
            queue_size=queue_size,
            **options,
        )
    )
    model.head.loss_module.set_class_counts(torch.tensor([5, 2, 1]))
    return model


def draw_batch(seed, labels):
    generator = torch.Generator().manual_seed(seed)
    views = [
        torch.randn(len(labels), 3, 32, 32, generator=generator)
        for _ in range(2)
    ]
    return views, [DataSample().set_gt_label(label) for label in labels]


def step(model, seed, labels):
    loss = model(*draw_batch(seed, labels), mode='loss')['loss']
    loss.backward()
    return loss


KINDS = pytest.mark.parametrize('kind', ['PaCoClassifier', 'GPaCoClassifier'])


@KINDS
def test_the_queue_is_filled_and_then_begun_anew(kind):
    model = build(kind=kind)
    assert model.queue_labels.tolist() == [-1] * 6
    step(model, 0, [0, 1, 2, 1])
    assert model.queue_labels.tolist() == [0, 1, 2, 1, -1, -1]
    assert torch.allclose(model.queue[:4].norm(dim=1), torch.ones(4))
    step(model, 1, [2, 2, 0, 0])
    assert model.queue_labels.tolist() == [0, 0, 2, 1, 2, 2]
    assert model.queue_place == 2


def test_a_batch_larger_than_the_queue_leaves_its_end():
    model = build(queue_size=3)
    step(model, 0, [0, 1, 2, 1])
    assert sorted(model.queue_labels.tolist()) == [1, 1, 2]


def test_momentum_encoder_follows_without_gradient():
    model = build(momentum=0.9)
    step(model, 0, [0, 1])
    weight = model.projector[0].weight
    slow = model.slow.module.projector[0].weight
    assert torch.equal(weight, slow)  # at first, the same
    before = slow.clone()
    with torch.no_grad():
        weight += 1
    step(model, 1, [0, 1])
    assert torch.allclose(slow, before + 0.1, atol=1e-6)
    assert all(p.grad is None for p in model.slow.parameters())
    assert weight.grad is not None
    assert model.head.fc.weight.grad is not None


def test_a_checkpoint_has_the_names_that_earlier_ones_have():
    names = {
        '.'.join(name.split('.')[:2]) for name in build().state_dict()
    } - {'data_preprocessor.mean', 'data_preprocessor.std'}
    assert {name for name in names if not name.startswith('backbone')} == {
        'head.fc',
        'head.loss_module',
        'projector.0',
        'projector.1',
        'projector.3',
        'queue',
        'queue_labels',
        'queue_place',
        'slow.module',
        'slow.steps',
    }


def test_checkpoint_contains_queue_and_momentum_encoder():
    model = build(momentum=0.9)
    step(model, 0, [0, 1, 2])
    with torch.no_grad():
        for weight in model.projector.parameters():
            weight += 1
    step(model, 1, [0, 1, 2])
    again = build(momentum=0.9)
    again.load_state_dict(model.state_dict())
    expected = step(model, 2, [1, 1, 0])
    # Nearly: kernels round by how memory is aligned.
    assert torch.allclose(step(again, 2, [1, 1, 0]), expected, atol=1e-5)
    assert torch.allclose(again.queue, model.queue, atol=1e-4)
    assert torch.equal(
        again.slow.module.projector[0].weight,
        model.slow.module.projector[0].weight,
    )
    # Not so in a model that forgot them.
    assert not torch.allclose(build().queue, model.queue, atol=1e-1)


def test_gpaco_teaches_both_views():
    model = build(kind='GPaCoClassifier')
    step(model, 0, [0, 1, 2])  # so that the queue holds something
    views, samples = draw_batch(1, [2, 1, 1, 0])
    options = dict(temperature=0.2, alpha=0.05, beta=1.0, gamma=1.0)
    logits, points = zip(*map(model._answer, views), strict=True)
    labels = torch.tensor([2, 1, 1, 0]).repeat(2)
    prior = torch.tensor([5 / 8, 2 / 8, 1 / 8]).log()
    points = [point.detach() for point in points]
    expected = loss_slowly(
        torch.cat(logits) + prior,
        torch.cat(points),
        torch.cat([*points, model.queue]),
        labels,
        torch.cat([labels, model.queue_labels]),
        options,
    )
    value = model(views, samples, mode='loss')['loss']
    assert value.item() == pytest.approx(expected, rel=1e-4)
    # The second views are remembered.
    assert torch.allclose(model.queue[3:], points[1][:3], atol=1e-6)
    assert model.queue_labels.tolist() == [0, 1, 2, 2, 1, 1]


def test_gpaco_has_one_encoder_and_its_gradient_comes_from_both_views():
    for kind, both in (('PaCoClassifier', False), ('GPaCoClassifier', True)):
        model = build(kind=kind)
        views, samples = draw_batch(0, [0, 1])
        for view in views:
            view.requires_grad_()
        model(views, samples, mode='loss')['loss'].backward()
        assert views[0].grad.any()
        assert (views[1].grad is not None) == both
        names = [name.split('.')[0] for name in model.state_dict()]
        assert ('slow' in names) != both


@KINDS
def test_bfloat16_makes_no_nan_of_one_image_and_two_classes(kind):
    model = build(kind=kind)
    model.head.fc = torch.nn.Linear(32, 2)
    model.head.loss_module = PaCoLoss(2)
    # A class without images, and batches without one of the classes.
    model.head.loss_module.set_class_counts(torch.tensor([3, 0]))
    model.eval()  # BatchNorm needs two images to learn from
    with torch.autocast('cpu', torch.bfloat16):
        losses = [step(model, seed, [0]) for seed in range(3)]
    assert torch.isfinite(torch.stack(losses)).all()
    for name, weight in model.named_parameters():
        if weight.grad is not None:
            assert torch.isfinite(weight.grad).all(), name


def test_it_predicts_as_any_classifier():
    model = build().eval()
    images = torch.randn(2, 3, 32, 32)
    plain = model(images, mode='tensor')
    (first, _) = model(images, mode='predict')
    assert torch.allclose(first.pred_score, plain[0].softmax(0))


def test_one_view_and_odd_numbers_are_refused():
    with pytest.raises(ValueError, match='put MultiView into the pipeline'):
        build()(torch.randn(1, 3, 32, 32), [], mode='loss')
    for momentum in (0, 1):
        with pytest.raises(
            ValueError, match=rf'must lie in \(0, 1\), got {momentum}'
        ):
            build(momentum=momentum)


def run_rank(rank):
    saved = {}
    for kind in ('PaCoClassifier', 'GPaCoClassifier'):
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            model = build(kind=kind)
        parallel = DistributedDataParallel(model)
        # The images of a rank are its own; the queue is everyone's.
        step(parallel, rank, [rank, 2])
        gradient = model.projector[0].weight.grad
        saved[kind] = model.queue, model.queue_labels, gradient
    return saved


def test_processes_share_one_queue(tmp_path):
    first, second = run_ranks(tmp_path, run_rank)
    for kind, own in first.items():
        queue, labels, gradient = own
        assert labels.tolist() == [0, 2, 1, 2, -1, -1]
        for mine, other in zip(own, second[kind], strict=True):
            assert torch.equal(mine, other)
        assert gradient.any()
        assert not torch.equal(queue[0], queue[2])
