"""Soft labels, sample weights and reductions: one table of losses and heads.

Losses and heads must use soft labels (Mixup, CutMix) or refuse them by name.
"""

import math

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from ltvl_mm.models import OriginWeightedClsHead

LOG2, LOG4, LOG_4_3 = math.log(2), math.log(4), math.log(4 / 3)
# 3 training images of class 0, 1 of class 1; all logits are 0; one image of
# each class. -> options, shape of an image's logits, the two losses by hand.
# LADE: T_c = -log(2 pi_c), and the loss has 2 sum_c pi_c T_c.
LADE = 2 * (-0.75 * math.log(1.5) + 0.25 * LOG2)
# TADE's third expert sees z + log pi - log pi': 3 and 1/3, so 9 to 1.
HAND = {
    'LogitAdjustedLoss': ({}, (2,), (LOG_4_3, LOG4)),
    'LADELoss': (
        dict(alpha=2.0, penalty=0.0),
        (2,),
        (LOG_4_3 + LADE, LOG4 + LADE),
    ),
    # Margins: 3^(-1/4) and 1 of 2.
    'LDAMLoss': (
        dict(scale=4.0),
        (2,),
        (
            math.log(1 + math.exp(2 * 3**-0.25)),
            math.log(1 + math.exp(2)),
        ),
    ),
    'RIDELoss': (
        dict(scale=4.0),
        (2, 2),
        (
            2 * math.log(1 + math.exp(2 * 3**-0.25)),
            2 * math.log(1 + math.exp(2)),
        ),
    ),
    'DiverseExpertLoss': (
        dict(tau=1.0),
        (3, 2),
        (LOG2 + LOG_4_3 + math.log(10 / 9), LOG2 + LOG4 + math.log(10)),
    ),
    # Class 0 teaches one branch, class 1 three: 2 on average.
    'ResLTLoss': (
        dict(beta=0.5, medium=0.5, tail=0.5),
        (3, 2),
        (LOG2 / 2 + LOG2 / 4, LOG2 / 2 + 3 * LOG2 / 4),
    ),
}
SOFT = ('LogitAdjustedLoss', 'DiverseExpertLoss')


def build_loss(kind, counts=(3, 1), **options):
    loss = MODELS.build(
        dict(type=f'ltvl_mm.{kind}', num_classes=len(counts), **options)
    )
    loss.set_class_counts(torch.tensor(counts))
    return loss


@pytest.mark.parametrize('kind', HAND)
def test_losses_and_reductions_by_hand(kind):
    options, shape, values = HAND[kind]
    loss = build_loss(kind, loss_weight=3.0, **options)
    logits, target = torch.zeros(2, *shape), torch.tensor([0, 1])
    first, second = (3 * value for value in values)
    each = loss(logits, target, reduction_override='none')
    assert each.tolist() == pytest.approx([first, second], rel=1e-5)
    mean = loss(logits, target).item()
    assert mean == pytest.approx((first + second) / 2, rel=1e-5)
    total = loss(logits, target, reduction_override='sum')
    assert total.item() == pytest.approx(first + second, rel=1e-5)
    by_factor = loss(logits, target, avg_factor=5)
    assert by_factor.item() == pytest.approx((first + second) / 5, rel=1e-5)


@pytest.mark.parametrize('beta', [None, 0.9])
@pytest.mark.parametrize('kind', HAND)
def test_weight_counts_an_image_several_times(kind, beta):
    options, shape, _ = HAND[kind]
    options = {**options, **({} if beta is None else {'beta': beta})}
    if beta is not None and kind not in ('LDAMLoss', 'RIDELoss', 'ResLTLoss'):
        pytest.skip('the loss has no beta')
    counts = (50, 7, 7, 1)
    loss = build_loss(kind, counts, **options)
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(5, *shape[:-1], 4, generator=generator)
    target = torch.tensor([0, 0, 1, 3, 2])
    weight = torch.tensor([1, 3, 2, 0, 1])
    found = loss(logits, target, weight.float(), avg_factor=weight.sum())
    repeated = loss(
        logits.repeat_interleave(weight, 0),
        target.repeat_interleave(weight),
    )
    assert found.item() == pytest.approx(repeated.item(), rel=1e-5)
    # And without avg_factor the sum is divided by N, as in mmpretrain.
    mean = loss(logits, target, weight.float()).item()
    assert mean == pytest.approx(repeated.item() * 7 / 5, rel=1e-5)
    each = loss(logits, target, weight.float(), reduction_override='none')
    assert each.sum().item() == pytest.approx(repeated.item() * 7, rel=1e-5)


@pytest.mark.parametrize('kind', HAND)
def test_batch_of_weight_0_costs_nothing(kind):
    options, shape, _ = HAND[kind]
    logits = torch.zeros(2, *shape, requires_grad=True)
    loss = build_loss(kind, **options)(
        logits, torch.tensor([0, 1]), torch.zeros(2), avg_factor=1e-6
    )
    loss.backward()
    assert loss == 0
    assert not logits.grad.any()


@pytest.mark.parametrize('kind', HAND)
def test_soft_labels_are_used_or_refused_by_name(kind):
    options, shape, values = HAND[kind]
    loss = build_loss(kind, **options)
    logits = torch.zeros(2, *shape)
    soft = torch.tensor([[0.25, 0.75], [1.0, 0.0]])
    if kind not in SOFT:
        with pytest.raises(ValueError, match=f'{kind} needs one class per'):
            loss(logits, soft)
        return
    each = loss(logits, soft, reduction_override='none').tolist()
    first, second = values
    assert each == pytest.approx([0.25 * first + 0.75 * second, first])


@pytest.mark.parametrize('kind', HAND)
def test_wrong_arguments_are_errors(kind):
    options, shape, _ = HAND[kind]
    loss = build_loss(kind, **options)
    logits, target = torch.zeros(2, *shape), torch.tensor([0, 1])
    with pytest.raises(ValueError, match=rf'{kind} needs one weight .*\(2,'):
        loss(logits, target, torch.ones(2, 1))
    with pytest.raises(ValueError, match=r"one of .* got 'average'"):
        loss(logits, target, reduction_override='average')
    with pytest.raises(ValueError, match='avg_factor can not be used'):
        loss(logits, target, avg_factor=2, reduction_override='sum')
    with pytest.raises(TypeError, match='class_weight'):
        loss(logits, target, class_weight=[1, 2])


NAMES = ('cat', 'dog', 'ox')
EXPERTS = dict(num_classes=3, in_channels=4)
HEADS = {
    'CosineClsHead': EXPERTS,
    'LWSClsHead': EXPERTS,
    'TextInitClsHead': dict(arch='ltvl-toy', class_names=NAMES),
    'CLIPContrastiveHead': dict(
        arch='ltvl-toy', class_names=NAMES, loss='class_ce'
    ),
    'OriginWeightedClsHead': dict(retrieved=1.0, **EXPERTS),
}
REFUSED = {
    'CLIPContrastiveHead': [
        dict(arch='ltvl-toy', class_names=NAMES, loss='symmetric'),
        dict(arch='ltvl-toy', class_names=NAMES, loss='image_to_text'),
    ],
    'MemoryClsHead': [EXPERTS],
    'OriginWeightedClsHead': [
        dict(retrieved=0.5, **EXPERTS),
        dict(retrieved='probability', **EXPERTS),
    ],
}


# With this seed, Mixup's permutation swaps two images.
SWAP = next(
    seed
    for seed in range(9)
    if torch.randperm(2, generator=torch.Generator().manual_seed(seed))[0]
)


def mix(width):
    """Two mixed images (here: features) and their samples."""
    preprocessor = MODELS.build(
        dict(
            type='ClsDataPreprocessor',
            num_classes=3,
            batch_augments=dict(augments=[dict(type='Mixup', alpha=0.8)]),
        )
    )
    samples = []
    for label, origin in ((0, 'target'), (2, 'retrieved')):
        sample = DataSample().set_gt_label(label)
        sample.set_metainfo({'origin': origin, 'retrieval_score': 1.0})
        samples.append(sample)
    inputs = torch.randn(2, width, 1, 1)
    torch.manual_seed(SWAP)
    data = {'inputs': inputs, 'data_samples': samples}
    mixed = preprocessor(data, training=True)
    soft = torch.stack([one.gt_score for one in mixed['data_samples']])
    assert ((soft > 0).sum(1) == 2).all()
    return (mixed['inputs'].flatten(1),), mixed['data_samples'], soft


def build_head(kind, options):
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(dict(type=f'ltvl_mm.{kind}', **options))


@pytest.mark.parametrize('smooth', [None, 0.1])
@pytest.mark.parametrize('kind', HEADS)
def test_heads_use_the_labels_of_mixed_images(kind, smooth):
    options = HEADS[kind]
    if smooth is not None and kind == 'CLIPContrastiveHead':
        pytest.skip('its loss is chosen by name')
    if smooth is not None:
        loss = dict(type='LabelSmoothLoss', label_smooth_val=smooth)
        options = {**options, 'loss': loss}
    head = build_head(kind, options)
    feats, samples, soft = mix(128 if 'arch' in options else 4)
    share = smooth or 0.0
    expected = F.cross_entropy(head(feats), soft * (1 - share) + share / 3)
    found = head.loss(feats, samples)
    assert found['loss'].item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize(
    ('kind', 'options'),
    [(kind, each) for kind, several in REFUSED.items() for each in several],
)
def test_heads_refuse_mixed_images_by_name(kind, options):
    head = build_head(kind, options)
    feats, samples, _ = mix(128 if 'arch' in options else 4)
    with pytest.raises(ValueError, match=rf'{kind}.*gt_score.*Mixup'):
        head.loss(feats, samples)


def test_images_of_one_weight_can_be_mixed():
    head = OriginWeightedClsHead(3, 4, retrieved=0.5)
    feats, samples, soft = mix(4)
    for sample in samples:
        sample.set_metainfo({'origin': 'retrieved'})
    expected = F.cross_entropy(head(feats), soft)
    found = head.loss(feats, samples)['loss']
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_origin_weights_reach_our_losses():
    """They were swallowed: a retrieved image weighed as much as any."""
    loss = dict(type='ltvl_mm.LDAMLoss', num_classes=3)
    head = OriginWeightedClsHead(3, 4, retrieved=0.0, loss=loss)
    head.loss_module.set_class_counts(torch.tensor([5, 3, 1]))
    samples = [DataSample().set_gt_label(label) for label in (0, 2)]
    for sample, origin in zip(samples, ('target', 'retrieved'), strict=True):
        sample.set_metainfo({'origin': origin})
    feats = torch.randn(2, 4)
    both = head.loss((feats,), samples)['loss']
    alone = head.loss((feats[:1],), samples[:1])['loss']
    assert both.item() == pytest.approx(alone.item(), rel=1e-5)


def test_origin_weighted_head_reports_accuracy_if_asked():
    head = OriginWeightedClsHead(3, 4, retrieved=0.5, cal_acc=True)
    sample = DataSample().set_gt_label(1)
    sample.set_metainfo({'origin': 'target'})
    found = head.loss((torch.randn(1, 4),), [sample])
    assert set(found) == {'loss', 'accuracy_top-1'}
    sample.set_gt_score(torch.tensor([0.5, 0.5, 0.0]))
    with pytest.raises(ValueError, match='OriginWeightedClsHead needs one'):
        head.loss((torch.randn(1, 4),), [sample])


@pytest.mark.parametrize('where', ['train_cfg', 'data_preprocessor'])
@pytest.mark.parametrize('kind', ['PaCoClassifier', 'GPaCoClassifier'])
def test_two_views_are_not_mixed(kind, where):
    augments = dict(augments=[dict(type='Mixup', alpha=0.8)])
    option = dict(train_cfg=augments)
    if where == 'data_preprocessor':
        option = dict(
            data_preprocessor=dict(
                type='ClsDataPreprocessor', batch_augments=augments
            )
        )
    cfg = dict(
        type=f'ltvl_mm.{kind}',
        backbone=dict(type='ltvl_mm.IdentityBackbone', dim=4),
        head=dict(
            type='LinearClsHead',
            num_classes=3,
            in_channels=4,
            loss=dict(type='ltvl_mm.PaCoLoss', num_classes=3),
        ),
    )
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        with pytest.raises(ValueError, match=f'{kind} .* cannot train on mi'):
            MODELS.build({**cfg, **option})
        model = MODELS.build(cfg)
    sample = DataSample().set_gt_score(torch.tensor([0.5, 0.5, 0.0]))
    views = [torch.randn(1, 4), torch.randn(1, 4)]
    with pytest.raises(ValueError, match=f'{kind} needs one class per image'):
        model.loss(views, [sample])
