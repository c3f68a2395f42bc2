"""What is frozen neither moves nor keeps activations, nor goes stale."""

import copy

import pytest
import torch
from mmpretrain.structures import DataSample
from torch import nn

from ltvl_mm.models import CLIPBackbone, CLIPContrastiveHead

IMAGES = torch.randn(4, 3, 32, 32, generator=torch.manual_seed(0))
NAMES = ('cat', 'great white shark', 'ox')


def make_head(**options):
    torch.manual_seed(0)
    return CLIPContrastiveHead('ltvl-toy', class_names=NAMES, **options)


def make_samples(labels):
    return [DataSample().set_gt_label(label) for label in labels]


def read_statistics(backbone):
    return {
        name: buffer.clone()
        for name, buffer in backbone.named_buffers()
        if 'running' in name
    }


@pytest.mark.parametrize('frozen', [True, False])
@pytest.mark.parametrize('freeze_bn', [True, False])
def test_training_moves_statistics_and_weights_unless_frozen(
    frozen, freeze_bn
):
    backbone = CLIPBackbone('ltvl-toy', frozen=frozen, freeze_bn=freeze_bn)
    assert backbone.train() is backbone
    before = read_statistics(backbone)
    (features,) = backbone(IMAGES)
    after = read_statistics(backbone)
    moved = any(not torch.equal(before[name], after[name]) for name in before)
    assert moved is not (frozen or freeze_bn)
    assert features.requires_grad is not frozen
    if not frozen:
        features.sum().backward()
        norms = [
            m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d)
        ]
        assert all(norm.weight.grad is not None for norm in norms)
    assert all(p.requires_grad is not frozen for p in backbone.parameters())


def test_frozen_statistics_normalize_a_training_batch_as_a_test_batch():
    backbone = CLIPBackbone('ltvl-toy')
    (trained,) = backbone.train()(IMAGES)
    (tested,) = backbone.eval()(IMAGES)
    assert torch.allclose(trained, tested, atol=1e-6)


def test_frozen_towers_keep_no_activation():
    kept = []
    backbone = CLIPBackbone('ltvl-toy', frozen=True)
    head = make_head(frozen=True, loss='class_ce', logit_scale=100.0)
    with torch.autograd.graph.saved_tensors_hooks(
        lambda tensor: kept.append(tensor) or tensor, lambda x: x
    ):
        feats = (backbone(IMAGES)[0].requires_grad_(),)
        head.loss(feats, make_samples([0, 1, 2, 2]))['loss'].backward()
    # Only what follows the features: batch, classes, width.
    assert all(set(tensor.shape) <= {1, 3, 4, 128} for tensor in kept)


@pytest.mark.parametrize('kind', ['symmetric', 'image_to_text', 'class_ce'])
def test_a_frozen_text_tower_is_run_once(monkeypatch, kind):
    head = make_head(frozen=True, loss=kind)
    trained = make_head(loss=kind)
    assert not any(p.requires_grad for p in head.text.parameters())
    calls = []
    head.text.register_forward_hook(lambda *_: calls.append(1))
    for labels in ([0, 2, 2, 1], [1, 1, 0, 0]):
        feats = (torch.randn(4, 128, requires_grad=True),)
        loss = head.train().loss(feats, make_samples(labels))['loss']
        loss.backward()
        expected = trained.loss(feats, make_samples(labels))['loss']
        assert torch.allclose(loss, expected, atol=1e-5)
        with torch.inference_mode():
            head.eval().predict(feats)
    assert len(calls) == 1
    assert all(p.grad is None for p in head.text.parameters())
    assert head.logit_scale.grad is not None  # has its own switch


def test_a_frozen_text_tower_reads_captions_without_gradient():
    head = make_head(frozen=True)
    samples = make_samples([0, 1])
    for sample, caption in zip(samples, ('a cat', 'an ox'), strict=True):
        sample.set_field(caption, 'caption')
    feats = (torch.randn(2, 128, requires_grad=True),)
    head.loss(feats, samples)['loss'].backward()
    assert feats[0].grad is not None
    assert all(p.grad is None for p in head.text.parameters())


def test_prototypes_of_a_frozen_tower_follow_a_loaded_checkpoint():
    head = make_head(frozen=True)
    before = head.prototypes()
    torch.manual_seed(7)
    other = CLIPContrastiveHead('ltvl-toy', class_names=NAMES)
    head.load_state_dict(other.state_dict())
    assert not torch.allclose(head.prototypes(), before, atol=1e-3)
    assert torch.allclose(head.prototypes(), other.prototypes(), atol=1e-5)


def test_prototypes_of_a_frozen_tower_follow_assigned_weights():
    """New tensors begin to count their versions anew."""
    head = make_head(frozen=True)
    for seed in (7, 8):
        torch.manual_seed(seed)
        other = CLIPContrastiveHead('ltvl-toy', class_names=NAMES)
        state = {k: v.clone() for k, v in other.state_dict().items()}
        head.load_state_dict(state, assign=True)
        assert torch.allclose(head.prototypes(), other.prototypes(), atol=1e-5)


def test_prototypes_first_needed_by_a_prediction_can_train_later():
    head = make_head(frozen=True, loss='class_ce')
    with torch.inference_mode():
        head.eval().predict((torch.ones(1, 128),))
    feats = (torch.randn(1, 128, requires_grad=True),)
    head.train().loss(feats, make_samples([0]))['loss'].backward()
    assert feats[0].grad is not None


def test_a_copied_head_has_its_own_prototypes():
    """As EMAHook copies a model and then writes its weights."""
    head = make_head()
    twin = copy.deepcopy(head)
    before = head.eval().prototypes()
    for weight in twin.text.parameters():
        weight.data.mul_(1.5)
    assert not torch.allclose(twin.eval().prototypes(), before, atol=1e-3)
    assert torch.equal(head.prototypes(), before)
