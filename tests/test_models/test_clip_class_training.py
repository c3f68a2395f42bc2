"""What the head learns from labels: losses, scale, precision, mixing in."""

from math import log

import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

from ltvl_mm.clip import class_prototypes
from ltvl_mm.models import CLIPContrastiveHead
from ltvl_mm.models.losses.contrastive_loss import compute_contrastive_loss

NAMES = ('cat', 'great white shark', 'ox')
LABELS = (0, 2, 2, 0, 2)


def make_head(**options):
    torch.manual_seed(0)
    return CLIPContrastiveHead('ltvl-toy', **{'class_names': NAMES, **options})


def make_samples(labels=LABELS):
    return [DataSample().set_gt_label(label) for label in labels]


def make_features(count=5):
    features = torch.randn(count, 128, generator=torch.manual_seed(1))
    return (features.requires_grad_(),)


@pytest.fixture
def text_widths(monkeypatch):
    """Function that lists the texts of each call of a head's tower."""

    def watch(head):
        seen = []
        head.text.register_forward_pre_hook(
            lambda _, args: seen.append(len(args[0]))
        )
        return seen

    return watch


# Softmax of the rows 1/4 2/4 1/4, 1/4 1/4 2/4, 1/8 1/8 6/8; of the columns
# 1/3 1/3 1/3, 2/4 1/4 1/4, 1/9 2/9 6/9. Images 0 and 1 share a class.
LOGITS = torch.tensor([[1.0, 2, 1], [1, 1, 2], [1, 1, 6]]).log()
ROWS = ((log(4) + log(2)) / 2 + log(4) + log(4 / 3)) / 3
COLUMNS = (log(3) + (log(2) + log(4)) / 2 + log(3 / 2)) / 3


@pytest.mark.parametrize(
    ('text_to_image', 'expected'), [(True, ROWS + COLUMNS), (False, ROWS)]
)
def test_both_contrastive_losses_by_hand(text_to_image, expected):
    loss = compute_contrastive_loss(
        torch.eye(3),
        LOGITS.t() / 2,
        torch.tensor([7, 7, 3]),
        2.0,
        text_to_image=text_to_image,
    )
    assert loss.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ('kind', 'expected'),
    [
        # Logits of images 0 1 2 to classes 0 1 2: ln 4 on the diagonal.
        ('class_ce', (log(6 / 4) + log(6) + log(6 / 4)) / 3),
        # In the batch, texts are those of labels 0 0 2: rows are 4 4 1,
        # 1 1 1, 1 1 4 and columns 4 1 1, 4 1 1, 1 1 4.
        ('image_to_text', (log(9 / 4) + log(3) + log(6 / 4)) / 3),
        (
            'symmetric',
            (log(9 / 4) + log(3) + log(6 / 4)) / 3
            + ((log(6 / 4) + log(6)) + log(6 / 4)) / 3,
        ),
    ],
)
@pytest.mark.parametrize('frozen', [True, False])
def test_the_losses_of_a_head_by_hand(monkeypatch, kind, expected, frozen):
    head = make_head(loss=kind, logit_scale=log(4), frozen=frozen)

    def encode(tower, tokens, **_):
        """Return the unit vector of each class that is asked for."""
        known = head.classes.tokens.tolist()
        return torch.eye(3, 128)[[known.index(row) for row in tokens.tolist()]]

    monkeypatch.setattr(class_prototypes, 'encode_classes', encode)
    images = (3 * torch.eye(3, 128),)  # the head normalizes
    loss = head.loss(images, make_samples([0, 0, 2]))['loss']
    assert loss.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize('kind', ['symmetric', 'image_to_text'])
def test_a_batch_encodes_each_of_its_classes_once(text_widths, kind):
    head = make_head(loss=kind)
    seen = text_widths(head)
    loss = head.loss(make_features(), make_samples())['loss']
    assert sum(seen) == 2  # of five labels
    texts = head.prototypes()[list(LABELS)]
    images = nn.functional.normalize(make_features()[0], dim=-1)
    expected = compute_contrastive_loss(
        images,
        texts,
        torch.tensor(LABELS),
        head.logit_scale.exp(),
        text_to_image=kind == 'symmetric',
    )
    assert torch.allclose(loss, expected, atol=1e-5)


def test_captions_go_before_labels():
    head = make_head()
    samples = make_samples()
    for sample, caption in zip(samples, 'abcde', strict=True):
        sample.set_field(caption, 'caption')
    alone = make_head(class_names=None)
    loss = head.loss(make_features(), samples)['loss']
    assert torch.equal(loss, alone.loss(make_features(), samples)['loss'])


def test_prompts_are_tokenized_once():
    head = make_head(loss='class_ce')
    head.tokenizer = None  # raises when called
    for _ in range(2):
        head.loss(make_features(), make_samples())


@pytest.mark.parametrize('templates', ['single', ('a {}.', 'the {}.')])
def test_chunks_give_the_loss_and_gradients_of_the_whole(templates):
    results = []
    for chunk_size in (None, 2):
        head = make_head(
            loss='class_ce', templates=templates, chunk_size=chunk_size
        )
        features = make_features()
        loss = head.loss(features, make_samples())['loss']
        loss.backward()
        grads = [p.grad for p in head.parameters()]
        results.append([loss.detach(), features[0].grad, *grads])
    for whole, chunked in zip(*results, strict=True):
        assert torch.allclose(whole, chunked, atol=1e-5)


@pytest.mark.parametrize(
    ('option', 'value', 'trains'),
    [
        ('learned', 1 / 0.07, True),
        ('frozen', 1 / 0.07, False),
        (30, 30, False),
    ],
)
def test_the_scale_is_learned_or_kept_or_given(option, value, trains):
    head = make_head(logit_scale=option)
    assert head.logit_scale.requires_grad is trains
    assert head._scale().item() == pytest.approx(value, rel=1e-5)
    logits = head.eval()((head.prototypes(),))
    assert logits.diag().tolist() == pytest.approx([value] * 3, rel=1e-4)


def test_a_learned_scale_is_clamped_and_a_number_is_not():
    head = make_head()
    head.logit_scale.data.fill_(9.0)
    assert head._scale().item() == 100
    assert make_head(logit_scale=200)._scale().item() == pytest.approx(200)


@pytest.mark.parametrize('kind', ['symmetric', 'class_ce'])
def test_losses_are_full_precision_under_autocast(kind):
    head = make_head(loss=kind, logit_scale=100.0)
    exact = head.loss(make_features(), make_samples())['loss']
    with torch.autocast('cpu', torch.bfloat16):
        features = (make_features()[0].bfloat16(),)
        loss = head.loss(features, make_samples())['loss']
        assert head(features).dtype == torch.float32
        assert head.eval()(features).dtype == torch.float32
    assert loss.dtype == torch.float32
    assert loss.isfinite()
    # Logits are up to 100 * cosine; towers round to 8 bits.
    assert torch.allclose(loss, exact, atol=0.5, rtol=0.05)
    loss.backward()
    assert all(p.grad.isfinite().all() for p in head.text.parameters())


def test_the_backbone_trains_under_a_host_head():
    model = MODELS.build(
        dict(
            type='ImageClassifier',
            backbone=dict(type='ltvl_mm.CLIPBackbone', arch='ltvl-toy'),
            neck=dict(type='ltvl_mm.BalancedLinearAdapter', dim=128),
            head=dict(type='LinearClsHead', num_classes=3, in_channels=128),
        )
    )
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    images, losses = torch.randn(5, 3, 32, 32), []
    for _ in range(2):
        loss = model(images, make_samples(), mode='loss')['loss']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[1] < losses[0]
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'loss': 'cosine'}, "loss must be one of .* got 'cosine'"),
        ({'loss': 'class_ce', 'class_names': None}, 'needs class_names'),
        ({'logit_scale': 'fixed'}, r"number > 0, got 'fixed'"),
        ({'logit_scale': 0}, r'number > 0, got 0'),
        ({'chunk_size': 0}, r'chunk_size must be >= 1, got 0'),
        ({'class_names': ['a ' * 20]}, "class 0, 'a a .* 27 tokens .* 20"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make_head(**options)


def test_features_of_another_width_are_refused_by_both_numbers():
    with pytest.raises(ValueError, match=r'ltvl-toy is 128 wide.* 64 wide'):
        make_head()((torch.ones(2, 64),))


def test_samples_without_caption_and_label_are_refused():
    with pytest.raises(ValueError, match='captions, or on labels if'):
        make_head().loss(make_features(1), [DataSample()])
