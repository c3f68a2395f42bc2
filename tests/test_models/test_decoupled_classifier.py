"""Second stages: what is loaded, what is trained, what stays."""

import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from ltvl_mm.models import CosineClsHead, LWSClsHead

BACKBONE = dict(type='ResNet', depth=18, base_channels=8, stem_channels=8)
HEAD = dict(type='LinearClsHead', num_classes=3, in_channels=64)


def build(kind='ImageClassifier', head=HEAD, **options):
    model = dict(
        type=kind,
        backbone=BACKBONE,
        neck=dict(type='GlobalAveragePooling'),
        head=head,
        **options,
    )
    return MODELS.build(model)


@pytest.fixture
def stage_1(tmp_path):
    """Checkpoint of a first stage."""
    torch.manual_seed(0)
    model = build()
    path = tmp_path / 'stage_1.pth'
    torch.save({'meta': {}, 'state_dict': model.state_dict()}, path)
    return str(path)


def step(model):
    """Take one step of what is trained; return names of what changed."""
    before = {name: v.clone() for name, v in model.state_dict().items()}
    model.train()
    weights = [p for p in model.parameters() if p.requires_grad]
    samples = [DataSample().set_gt_label(label) for label in (0, 2)]
    images = torch.randn(2, 3, 32, 32)
    sum(model(images, samples, mode='loss').values()).backward()
    torch.optim.SGD(weights, lr=0.1).step()
    return {
        name
        for name, value in model.state_dict().items()
        if not torch.equal(value, before[name])
    }


def trained(changed):
    """Return the names of weights; the authors' code moves statistics."""
    statistics = ('running_mean', 'running_var', 'num_batches_tracked')
    return {name for name in changed if not name.endswith(statistics)}


def test_crt_trains_a_new_head_alone(stage_1):
    model = build('ltvl_mm.DecoupledClassifier', stage_1=stage_1)
    model.init_weights()
    first = torch.load(stage_1, weights_only=True)['state_dict']
    state = model.state_dict()
    for name, value in first.items():
        assert torch.equal(state[name], value) == name.startswith(
            'backbone'
        ), name
    assert trained(step(model)) == {'head.fc.weight', 'head.fc.bias'}


def test_lws_trains_the_lengths_alone(stage_1):
    model = build(
        'ltvl_mm.DecoupledClassifier',
        head=dict(HEAD, type='ltvl_mm.LWSClsHead'),
        stage_1=stage_1,
        kept=['backbone', 'neck', 'head.fc'],
    )
    model.init_weights()
    first = build()
    first.load_state_dict(torch.load(stage_1, weights_only=True)['state_dict'])
    images = torch.randn(2, 3, 32, 32)
    # All lengths 1: still the first stage.
    assert torch.equal(model.eval()(images), first.eval()(images))
    assert trained(step(model)) == {'head.scales'}


def test_a_part_begins_as_another_of_the_stage_and_is_trained(stage_1):
    head = dict(HEAD, type='ltvl_mm.MemoryClsHead')
    model = build(
        'ltvl_mm.DecoupledClassifier',
        head=head,
        stage_1=stage_1,
        begun={'head.hallucinator': 'head.fc'},
    )
    model.init_weights()
    first = torch.load(stage_1, weights_only=True)['state_dict']
    weight = model.head.hallucinator.weight
    assert torch.equal(weight, first['head.fc.weight'])
    assert not torch.equal(model.head.fc.weight, weight)
    model.head.set_class_means(torch.randn(3, 64))
    changed = trained(step(model))
    assert 'head.hallucinator.weight' in changed
    assert not any(name.startswith('backbone') for name in changed)


def test_statistics_move_unless_bn_is_frozen(stage_1):
    moved = {}
    for freeze_bn in (False, True):
        model = build(
            'ltvl_mm.DecoupledClassifier', stage_1=stage_1, freeze_bn=freeze_bn
        )
        model.init_weights()
        moved[freeze_bn] = step(model)
    assert 'backbone.bn1.running_mean' in moved[False]
    assert moved[True] == {'head.fc.weight', 'head.fc.bias'}
    model = build('ltvl_mm.DecoupledClassifier', stage_1=stage_1)
    assert model.freeze_bn is False  # as in the authors' code


def test_a_stage_of_another_model_is_an_error(stage_1, tmp_path):
    model = build(
        'ltvl_mm.DecoupledClassifier',
        head=dict(HEAD, type='ltvl_mm.LWSClsHead', num_classes=4),
        stage_1=stage_1,
        kept=['backbone', 'head.fc'],
    )
    with pytest.raises(ValueError, match=r"its 'head\.fc' is another"):
        model.init_weights()
    model = build('ltvl_mm.DecoupledClassifier', stage_1=str(tmp_path / 'no'))
    with pytest.raises(ValueError, match=r'no does not exist; train it'):
        model.init_weights()


def test_a_checkpoint_of_its_own_stands_in_for_the_stage(stage_1, tmp_path):
    model = build('ltvl_mm.DecoupledClassifier', stage_1=str(tmp_path / 'no'))
    own = tmp_path / 'own.pth'
    torch.save(model.state_dict(), own)
    model.leave_stage_1(str(own))
    model.init_weights()
    other = build(
        'ltvl_mm.DecoupledClassifier',
        head=dict(HEAD, type='ltvl_mm.LWSClsHead'),
        stage_1=stage_1,
    )
    with pytest.raises(ValueError, match='lacks 1 weights such as head'):
        other.leave_stage_1(str(own))


def test_a_part_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match=r"kept=\['spine'\], begun="):
        build('ltvl_mm.DecoupledClassifier', stage_1='x', kept=['spine'])
    with pytest.raises(ValueError, match=r"begun=\{'spine': 'neck'\} name a"):
        build(
            'ltvl_mm.DecoupledClassifier', stage_1='x', begun={'spine': 'neck'}
        )


def test_a_cosine_head_knows_directions_alone():
    head = CosineClsHead(3, 4, scale=5.0)
    feats = torch.randn(2, 4)
    logits = head((feats,))
    weight = head.fc.weight
    expected = 5 * torch.cosine_similarity(
        feats[:, None], weight[None], dim=-1
    )
    assert torch.allclose(logits, expected, atol=1e-5)
    assert torch.allclose(head((7 * feats,)), logits, atol=1e-5)


def test_lws_multiplies_bias_and_all():
    head = LWSClsHead(2, 2)
    with torch.no_grad():
        head.fc.weight.copy_(torch.eye(2))
        head.fc.bias.fill_(1.0)
        head.scales.copy_(torch.tensor([1.0, 3.0]))
    assert head((torch.tensor([[2.0, 5.0]]),)).tolist() == [[3.0, 18.0]]
