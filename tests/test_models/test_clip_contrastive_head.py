import copy

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample

from ltvl_mm.clip.towers import build_tokenizer
from ltvl_mm.models.heads.clip_contrastive_head import CLIPContrastiveHead

NAMES = ('cat', 'dog', 'owl')


@pytest.fixture(scope='module')
def built():
    torch.manual_seed(0)
    return CLIPContrastiveHead(
        'ltvl-toy', class_names=NAMES, templates=['a {}', 'one {}']
    )


@pytest.fixture
def head(built):
    """A head of its own for each test: most change its weights."""
    return copy.deepcopy(built).eval()


def compute_prototypes(head):
    """What the prototypes must be for the weights that there are now."""
    tokenize = build_tokenizer('ltvl-toy')
    with torch.no_grad():
        rows = []
        for name in NAMES:
            prompts = head.text(tokenize([f'a {name}', f'one {name}']))
            rows.append(
                F.normalize(F.normalize(prompts, dim=1).mean(0), dim=0)
            )
    return torch.stack(rows)


def check_prototypes(head):
    torch.testing.assert_close(head.prototypes(), compute_prototypes(head))


def make_samples(captions):
    return [DataSample(metainfo={'caption': text}) for text in captions]


def test_logits_are_scaled_cosines_and_scores_their_softmax(head):
    feats = (torch.randn(4, 128) * 7,)
    expected = (
        head.logit_scale.exp()
        * F.normalize(feats[0], dim=1)
        @ compute_prototypes(head).t()
    )
    with torch.no_grad():
        torch.testing.assert_close(head(feats), expected)
        samples = head.predict(feats)
    scores = torch.stack([sample.pred_score for sample in samples])
    torch.testing.assert_close(scores, expected.softmax(1))
    labels = torch.cat([sample.pred_label for sample in samples])
    assert torch.equal(labels, expected.argmax(1))


def test_the_scale_is_100_at_most(head):
    with torch.no_grad():
        head.logit_scale.fill_(10.0)
        logits = head((compute_prototypes(head),))
    torch.testing.assert_close(logits.diagonal(), torch.full((3,), 100.0))


def test_the_loss_takes_equal_captions_as_positives_of_each_other(head):
    captions = ['a cat', 'a dog', 'a cat', 'an owl']
    feats = torch.randn(4, 128, requires_grad=True)
    loss = head.loss((feats,), make_samples(captions))['loss']
    images = F.normalize(feats, dim=1)
    texts = F.normalize(
        head.text(build_tokenizer('ltvl-toy')(captions)), dim=1
    )
    logits = head.logit_scale.exp() * images @ texts.t()
    total = 0
    for i in range(4):
        mates = [j for j in range(4) if captions[j] == captions[i]]
        for one_way in (logits, logits.t()):
            logs = one_way[i].log_softmax(0)
            total = total - sum(logs[j] for j in mates) / len(mates) / 4
    torch.testing.assert_close(loss, total)
    loss.backward()
    assert feats.grad.abs().sum() > 0
    assert all(weight.grad is not None for weight in head.parameters())


def test_prototypes_are_computed_once_while_evaluating(head):
    passes = []
    head.text.register_forward_hook(lambda *_: passes.append(1))
    with torch.no_grad():
        for _ in range(3):
            head((torch.randn(2, 128),))
    assert len(passes) == 1


def test_prototypes_follow_an_optimizer_step(head):
    for optimizer in (
        torch.optim.SGD(head.parameters(), lr=1.0),
        torch.optim.AdamW(head.parameters(), lr=0.1),
        torch.optim.AdamW(head.parameters(), lr=0.1, fused=True),
    ):
        check_prototypes(head)
        before = head.prototypes()
        head.train()
        head.loss((torch.randn(2, 128),), make_samples(['a cat', 'a dog']))[
            'loss'
        ].backward()
        optimizer.step()
        head.eval()
        assert not torch.allclose(head.prototypes(), before)
        check_prototypes(head)


def test_prototypes_follow_a_weight_written_in_place(head):
    check_prototypes(head)
    with torch.no_grad():
        next(head.text.parameters()).mul_(3)
    check_prototypes(head)


def test_prototypes_follow_another_state_dict(head):
    before = head.prototypes()
    other = CLIPContrastiveHead('ltvl-toy', class_names=NAMES)
    head.load_state_dict(other.state_dict())
    assert not torch.allclose(head.prototypes(), before)
    check_prototypes(head)


def test_prototypes_follow_what_a_hook_writes_before_eval(head):
    """EMAHook swaps ``.data``, which no version counter shows."""
    before = head.prototypes()
    for weight in head.text.parameters():
        weight.data = weight.data.flip(0).clone()
    head.eval()
    assert not torch.allclose(head.prototypes(), before)
    check_prototypes(head)


def test_a_deep_copy_has_prototypes_of_its_own_weights(head):
    """ExponentialMovingAverage makes one of the whole model."""
    twin = copy.deepcopy(head)
    with torch.no_grad():
        for weight in twin.text.parameters():
            weight.copy_(weight.flip(0))
    twin.eval()
    check_prototypes(twin)
    check_prototypes(head)


def test_prototypes_carry_gradient_while_training(head):
    head.train()
    logits = head((torch.randn(2, 128),))
    logits.sum().backward()
    assert any(
        weight.grad is not None and weight.grad.abs().sum() > 0
        for weight in head.text.parameters()
    )
    head.eval()
    assert not head.prototypes().requires_grad


def test_initializing_keeps_the_weights(head, built):
    head.init_weights()  # as the Runner does
    for name, weight in head.state_dict().items():
        assert torch.equal(weight, built.state_dict()[name])


@pytest.mark.smoke
def test_with_the_backbone_it_is_a_classifier_that_learns(tmp_path):
    torch.manual_seed(0)
    (tmp_path / 'names.txt').write_text('cat\ndog\n')
    model = MODELS.build(
        dict(
            type='mmpretrain.ImageClassifier',
            backbone=dict(
                type='ltvl_mm.CLIPBackbone',
                arch='ltvl-toy',
                freeze_bn=False,  # from scratch, there is nothing to keep
            ),
            head=dict(
                type='ltvl_mm.CLIPContrastiveHead',
                arch='ltvl-toy',
                class_names=str(tmp_path / 'names.txt'),
            ),
        )
    )
    model.init_weights()
    images = torch.stack([torch.zeros(3, 32, 32), torch.ones(3, 32, 32)])
    samples = make_samples(['a photo of a cat.', 'a photo of a dog.'])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model.train()
    losses = []
    for _ in range(12):
        loss = model(images, samples, mode='loss')['loss']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    model.eval()
    model.backbone.train()  # its running means lag behind in so few steps
    labels = [s.pred_label.item() for s in model(images, mode='predict')]
    assert labels == [0, 1]


def test_prediction_needs_class_names():
    head = CLIPContrastiveHead('ltvl-toy')
    with pytest.raises(ValueError, match='cannot predict without class_names'):
        head.predict((torch.randn(2, 128),))


def test_training_needs_captions(head):
    samples = [DataSample(), DataSample()]
    with pytest.raises(ValueError, match='but a sample has none; let PackInp'):
        head.loss((torch.randn(2, 128),), samples)


def test_unknown_templates_are_an_error():
    with pytest.raises(ValueError, match="got 'openai_8'"):
        CLIPContrastiveHead('ltvl-toy', templates='openai_8')
