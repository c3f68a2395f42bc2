"""Losses are weighted by the origin of their images."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from ltvl_mm.engine.hooks import RetrievedWeightHook
from ltvl_mm.models.losses.lade_loss import compute_density_loss
from ltvl_mm.registry import HOOKS

COUNTS = torch.tensor([5.0, 3.0, 1.0])
# Two target images; two retrieved ones, with p = 3/4 and 1/4.
LABELS = (0, 1, 1, 2)
PROBABILITIES = (None, None, 0.75, 0.25)
WEIGHTS = torch.tensor([1, 1, 0.75, 0.25])
PLAIN = dict(type='LinearClsHead', num_classes=3, in_channels=4)
COSINE = dict(PLAIN, type='ltvl_mm.CosineClsHead')
EXPERTS = dict(PLAIN, type='ltvl_mm.ExpertClsHead')
CASES = {
    'linear': PLAIN,
    'cosine': COSINE,
    'lws': dict(PLAIN, type='ltvl_mm.LWSClsHead'),
    'label smoothing': dict(
        PLAIN, loss=dict(type='LabelSmoothLoss', label_smooth_val=0.1)
    ),
    'balanced softmax': dict(
        PLAIN, loss=dict(type='ltvl_mm.LogitAdjustedLoss', num_classes=3)
    ),
    'ldam': dict(COSINE, loss=dict(type='ltvl_mm.LDAMLoss', num_classes=3)),
    'ride': dict(EXPERTS, loss=dict(type='ltvl_mm.RIDELoss', num_classes=3)),
    'tade': dict(
        EXPERTS, loss=dict(type='ltvl_mm.DiverseExpertLoss', num_classes=3)
    ),
}


class Listed:
    """Training images of which two are retrieved."""

    metainfo = {'classes': ('a', 'b', 'c')}  # noqa: RUF012

    def __init__(self, probabilities=PROBABILITIES):
        self.probabilities = probabilities

    def __len__(self):
        return len(self.probabilities)

    def get_origins(self):
        return torch.tensor([p is not None for p in self.probabilities])

    def get_probabilities(self):
        return torch.tensor([p or 1.0 for p in self.probabilities])


def make_samples():
    samples = []
    for label, probability in zip(LABELS, PROBABILITIES, strict=True):
        sample = DataSample().set_gt_label(label)
        sample.set_metainfo({'origin': 'target'})
        if probability is not None:
            more = {'origin': 'retrieved', 'probability': probability}
            sample.set_metainfo(more)
        samples.append(sample)
    return samples


def build(head, width=4, **more):
    torch.manual_seed(0)
    cfg = dict(
        type='ImageClassifier',
        backbone=dict(type='ltvl_mm.IdentityBackbone', dim=width),
        head=head,
        **more,
    )
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg)
    for module in model.modules():
        if hasattr(module, 'set_class_counts'):
            module.set_class_counts(COUNTS)
    return model


def start(model, retrieved='probability', dataset=None):
    """Return a hook and its runner, as before the first batch."""
    loader = SimpleNamespace(dataset=dataset or Listed())
    loop = SimpleNamespace(dataloader=loader)
    runner = SimpleNamespace(model=model, train_loop=loop)
    hook = RetrievedWeightHook(retrieved=retrieved)
    hook.before_train(runner)
    return hook, runner


def step(model, hook, runner, feats, samples):
    hook.before_train_iter(runner, 0, {'data_samples': samples})
    loss = model.loss(feats, samples)['loss']
    hook.after_train_iter(runner, 0)
    return loss


def measure_each(model, feats):
    """Return the (N,) losses of the images without weights."""
    head = model.head
    scores = getattr(head, 'forward_experts', head)((feats,))
    return head.loss_module(
        scores, torch.tensor(LABELS), reduction_override='none'
    )


@pytest.mark.parametrize('name', CASES)
def test_the_loss_is_the_weighted_mean(name):
    model = build(CASES[name])
    feats = torch.randn(4, 4)
    each = measure_each(model, feats)
    found = step(model, *start(model), feats, make_samples())
    expected = (WEIGHTS * each).sum() / WEIGHTS.sum()
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize(
    ('retrieved', 'weights'),
    [(1.0, [1, 1, 1, 1]), (0.5, [1, 1, 0.5, 0.5]), (0, [1, 1, 0, 0])],
)
def test_the_weight_may_be_a_number(retrieved, weights):
    model = build(PLAIN)
    feats = torch.randn(4, 4)
    weights = torch.tensor(weights)
    expected = (weights * measure_each(model, feats)).sum() / weights.sum()
    found = step(model, *start(model, retrieved), feats, make_samples())
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_regularizer_of_lade_counts_images_by_weight():
    loss = dict(type='ltvl_mm.LADELoss', num_classes=3, alpha=0.05)
    model = build(dict(PLAIN, loss=loss))
    feats = torch.randn(4, 4)
    target, prior = torch.tensor(LABELS), (COUNTS / COUNTS.sum()).log()
    logits = model.head((feats,))
    each = F.cross_entropy(logits + prior, target, reduction='none')
    density = compute_density_loss(logits, target, prior, 0.5, WEIGHTS)
    expected = (WEIGHTS * each).sum() / WEIGHTS.sum() + 0.05 * density
    found = step(model, *start(model), feats, make_samples())
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_batch_that_weighs_nothing_costs_nothing():
    model = build(PLAIN)
    hook, runner = start(model, 0)
    feats = torch.randn(2, 4)
    assert step(model, hook, runner, feats, make_samples()[2:]) == 0


def test_a_loss_that_replaces_another_is_weighted_too():
    model = build(PLAIN)
    hook, runner = start(model)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        cfg = dict(type='ltvl_mm.LogitAdjustedLoss', num_classes=3)
        model.head.loss_module = MODELS.build(cfg)
    model.head.loss_module.set_class_counts(COUNTS)
    for _ in range(2):  # attached once
        hook.before_train_epoch(runner)
    feats = torch.randn(4, 4)
    expected = (WEIGHTS * measure_each(model, feats)).sum() / WEIGHTS.sum()
    found = step(model, hook, runner, feats, make_samples())
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_losses_outside_of_training_have_no_weights():
    model = build(PLAIN)
    hook, runner = start(model)
    feats = torch.randn(4, 4)
    step(model, hook, runner, feats, make_samples())
    found = model.loss(feats, make_samples())['loss']
    expected = measure_each(model, feats).mean()
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_other_weights_and_samples_are_refused():
    for wrong in (-1, float('inf'), float('nan'), 'score'):
        with pytest.raises(ValueError, match='must be a finite weight >= 0'):
            RetrievedWeightHook(retrieved=wrong)
    model = build(PLAIN)
    with pytest.raises(ValueError, match='needs retrieved images, but all'):
        start(model, dataset=Listed((None, None)))
    hook, runner = start(model)
    sample = DataSample().set_gt_label(0)
    with pytest.raises(ValueError, match='say where they come from'):
        step(model, hook, runner, torch.randn(1, 4), [sample])
    sample.set_metainfo({'origin': 'retrieved'})
    with pytest.raises(ValueError, match='has no probability'):
        step(model, hook, runner, torch.randn(1, 4), [sample])


def test_the_hook_is_found_by_its_name():
    assert HOOKS.get('ltvl_mm.RetrievedWeightHook') is RetrievedWeightHook


def test_models_that_cannot_be_weighted_are_refused():
    paco = dict(type='ltvl_mm.PaCoLoss', num_classes=3)
    with pytest.raises(ValueError, match='PaCoLoss takes no weight and no'):
        start(build(dict(PLAIN, loss=paco)))
    augments = dict(augments=[dict(type='Mixup', alpha=0.8)])
    mixed = build(PLAIN, train_cfg=augments)
    with pytest.raises(ValueError, match='cannot weight mixed images'):
        start(mixed)
    names = ('cat', 'dog', 'owl')
    clip = dict(
        type='ltvl_mm.CLIPContrastiveHead', arch='ltvl-toy', class_names=names
    )
    model = build(clip, width=128)
    feats = torch.randn(4, 128)
    with pytest.raises(ValueError, match='does not come from the loss_mod'):
        step(model, *start(model), feats, make_samples())
